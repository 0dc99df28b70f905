/** One line of the audit log, and what chains it to the one before. */
import { createHash } from "node:crypto";
import { z } from "zod";

/** What the first entry names as the one before it. */
export const NO_ENTRY = "0".repeat(64);

/** `accepted` is written before the act: it was allowed and begun. What then came to nothing has a second entry. */
export const Outcome = z.enum(["accepted", "refused", "failed"]);
export type Outcome = z.infer<typeof Outcome>;

/** What somebody did, or was kept from. */
export const Act = z.strictObject({
  /** The person, else their account, else the nick they had. */
  who: z.string(),
  /** `libera/ada`: what the network vouched for; null for a bare nick, and for the terminal. */
  account: z.string().nullable(),
  /** `libera/#docker-dev`; of the page the address, `web/203.0.113.9`; null where it was not said in a room. */
  room: z.string().nullable(),
  /** The name of the command, or of the decision. */
  action: z.string().min(1),
  /** Its arguments, and why it was refused or failed. Never a secret. */
  detail: z.string(),
  outcome: Outcome,
});
export type Act = z.infer<typeof Act>;

export const Entry = z.strictObject({
  /** Counted from 1, without a gap. */
  n: z.int().positive(),
  /** Random: two acts that are alike are two entries still. */
  id: z.string(),
  at: z.iso.datetime(),
  ...Act.shape,
  /** The hash of the entry before. */
  previous: z.string(),
  hash: z.string(),
});
export type Entry = z.infer<typeof Entry>;

/** SHA-256 over the canonical JSON of everything but the hash: keys in order of code points, no space between. */
export function hashOf({ hash: _hash, ...content }: Omit<Entry, "hash"> & { readonly hash?: string }): string {
  return createHash("sha256")
    .update(JSON.stringify(content, Object.keys(content).toSorted()))
    .digest("hex");
}
