/** Names and times as tools write them, made fit to be kept and shown. */
import { createHash } from "node:crypto";
import { toUSVString } from "node:util";

/** A longer name is cut, with a sum of the whole behind it, so that two of them stay two. */
const NAME_LENGTH = 500;
const SUM_LENGTH = 8;
const ELLIPSIS = "…";
const SECONDS_MAX = 3_200_000_000;

/** Controls (C0 and C1), and characters that turn the direction of what follows or break lines. */
const UNCLEAN = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]| {2}|^ | $/u;
const COLOURS = /\p{Cc}?\[\d{1,3}(?:;\d{1,3})*m/gu;
const CONTROLS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|(?!\s)\p{Cc}/gu;

/** One line without controls, of a bounded length. */
export function cleanName(text: string): string {
  const clean = UNCLEAN.test(text) ? text.replace(COLOURS, "").replace(CONTROLS, "").replace(/\s+/g, " ").trim() : text;
  if (clean.length <= NAME_LENGTH) return toUSVString(clean);
  const sum = createHash("sha256").update(clean).digest("hex").slice(0, SUM_LENGTH);
  return toUSVString(`${clean.slice(0, NAME_LENGTH - SUM_LENGTH - ELLIPSIS.length)}${ELLIPSIS}${sum}`);
}

/** Of seconds, to the microsecond; more than a century is none. */
export function milliseconds(seconds: number): number {
  return seconds < SECONDS_MAX ? Math.round(seconds * 1_000_000) / 1_000 : 0;
}
