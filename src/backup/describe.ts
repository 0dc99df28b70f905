/** Phrases about a backup that chats and pages share. */
import { formatAge } from "../units.ts";
import type { Listed } from "./catalog.ts";

/** `proven 2h10m ago`, `not proven yet`, `does not restore: …`. */
export function provenPhrase({ provenAt, fault, isThere }: Listed, now: Date): string {
  if (!isThere) return "missing, or not as long as it was";
  if (fault !== undefined) return `does not restore: ${fault}`;
  if (provenAt === undefined) return "not proven yet";
  return `proven ${formatAge(now.getTime() - Date.parse(provenAt))} ago`;
}

/** `here and at s3://backups`. */
export function copiesPhrase({ stored, isThere }: Listed): string {
  const places = Object.keys(stored);
  if (places.length === 0) return isThere ? "only here" : "nowhere";
  return `${isThere ? "here and " : ""}at ${places.join(", ")}`;
}
