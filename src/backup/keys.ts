/** Which of docker-ci's keys go into a backup, and which of those say that something changed since the last one. */
import { z } from "zod";
import { AUDIT_HEAD, AUDIT_LIST } from "../audit/audit.ts";

export const PREFIX = "docker-ci:";

/** Of this process and this moment: BullMQ's jobs and the line, which are made anew from the records, workers, live logs. */
const MOMENTARY =
  /^docker-ci:(?:bull:|line:|worker:|workers(?:$|:heard$|:protocol$)|log:|cancel:|backup:(?:progress|asked)$|hooks:journal|slack:[^:]+:(?:journal|response:))/;

/** Whether the key is left out of a backup. */
export function isMomentary(key: string): boolean {
  return MOMENTARY.test(key);
}

/** What changes though nothing happened, or because a backup is made. */
const NO_NEWS = /^docker-ci:(?:backup:|outbox:(?:trouble|rooms)$|audit:head$)/;

/** What of a key's values counts as its content; undefined: none of it. What fades by itself is no content either. */
export function lastingValues(
  key: string,
  values: readonly unknown[],
  expiresAt: number | undefined,
): readonly unknown[] | undefined {
  if (expiresAt !== undefined || NO_NEWS.test(key) || key === AUDIT_HEAD) return undefined;
  if (key === AUDIT_LIST) return values.filter((value) => !Act.safeParse(parsed(value)).success);
  if (key.startsWith("docker-ci:outbox:room:")) return values.filter((value) => !Own.safeParse(parsed(value)).success);
  return values;
}

/** Somebody asked for a backup. */
const Act = z.object({ action: z.enum(["backup", "backups"]) });
/** A notice about one. */
const Own = z.object({ id: z.string().startsWith("backup-") });

function parsed(value: unknown): unknown {
  try {
    return typeof value === "string" ? JSON.parse(value) : undefined;
  } catch {
    // Not one of ours, so it counts as it is.
    return undefined;
  }
}
