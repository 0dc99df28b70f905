/** What gpg lists for programs (doc/DETAILS, "Format of the colon listings"). */
import { cleanName } from "../../src/results/clean-name.ts";

export interface KeyListing {
  readonly fingerprint: string;
  readonly userId: string;
  readonly state: "good" | "expired" | "revoked" | "disabled";
  /** Until when it signs; undefined: for ever. */
  readonly expiresAt: Date | undefined;
  readonly maySign: boolean;
}

interface Found {
  fingerprint: string;
  userId: string;
  readonly state: KeyListing["state"];
  readonly ends: number;
  readonly maySign: boolean;
  /** When those that sign end, the key itself and subkeys; infinity: never. */
  readonly signers: number[];
}

export function parseListing(listing: string): readonly KeyListing[] {
  const keys: Found[] = [];
  for (const line of listing.split("\n")) {
    const [kind = "", validity = "", , , , , end = "", , , name = "", , uses = ""] = line.split(":");
    const key = keys.at(-1);
    const ends = end === "" ? Number.POSITIVE_INFINITY : Number(end) * 1000;
    const signers = uses.includes("s") && !/[re]/.test(validity) ? [ends] : [];
    if (kind === "sec") {
      // Capital letters tell what the key and its subkeys can do together.
      keys.push({
        fingerprint: "",
        userId: "",
        state: stateOf(validity, uses),
        ends,
        maySign: uses.includes("S"),
        signers,
      });
    }
    if (key === undefined) continue;
    if (kind === "ssb") key.signers.push(...signers);
    if (kind === "fpr" && key.fingerprint === "") key.fingerprint = name;
    if (kind === "uid" && key.userId === "" && validity !== "r") key.userId = cleanName(unescaped(name));
  }
  return keys.map(({ fingerprint, userId, state, ends, maySign, signers }) => {
    const until = Math.min(ends, signers.length === 0 ? ends : Math.max(...signers));
    return { fingerprint, userId, state, maySign, expiresAt: Number.isFinite(until) ? new Date(until) : undefined };
  });
}

function stateOf(validity: string, uses: string): KeyListing["state"] {
  if (uses.includes("D")) return "disabled";
  return validity === "e" ? "expired" : validity === "r" ? "revoked" : "good";
}

/** `\x3a` is a colon. */
function unescaped(text: string): string {
  return text.replace(/\\x([0-9a-f]{2})/gi, (_all, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}
