/** A reply as lines of IRC, before they are cut to length. */
import type { Outgoing } from "../../src/chat/chat.ts";
import { type Line, SIGNS, type Tone } from "../../src/chat/reply.ts";
import { clean, unpinged } from "./text.ts";

/**
 * mIRC's numbers, always two digits, because a digit may follow. Of its two yellows the darker, which can be read on white; of its
 * two blues the lighter, which can be read on black.
 */
const COLOURS: Readonly<Partial<Record<Tone, string>>> = {
  passed: "03",
  failed: "04",
  errored: "07",
  cancelled: "14",
  running: "12",
};

/** The word that stands beside the sign; coloured where the first fact has it. */
const WORDS: Readonly<Partial<Record<Tone, RegExp>>> = {
  passed: /\bpassed\b/,
  failed: /\bfailed\b/,
  errored: /\bcould not run\b/,
  cancelled: /\bcancelled\b/,
  running: /\brunning\b/,
};

/**
 * Each line of an answer in a channel begins with whom it answers; the lines of a notice after the first, and what is verbatim,
 * are indented by two spaces. Lines with nothing in them are left out.
 * @param isAround whether somebody of that nick is in a channel with us.
 */
export function renderLines(
  { reply, room, to }: Outgoing,
  colours: boolean,
  isAround: (nick: string) => boolean = () => false,
): string[] {
  // An answer rings for whom it answers; a notice that names people rings for nobody.
  const name = to === undefined ? (text: string) => withoutPings(text, isAround) : (text: string) => text;
  const address = to !== undefined && room.kind === "channel" ? `${clean(to)}: ` : "";
  const detail = to === undefined ? "  " : "";
  const lines = reply.lines.map(
    (line, index) => `${address}${index === 0 ? "" : detail}${lineText(line, colours, name)}`,
  );
  const verbatim = (reply.verbatim ?? []).map((text) => `  ${clean(text).trimEnd()}`);
  return [...lines, ...verbatim].filter((line) => line.trim() !== "");
}

/** Words that are the nick of somebody there get a joiner that their client does not ring for. */
function withoutPings(text: string, isAround: (nick: string) => boolean): string {
  return text.replace(/[^\s,;:()"]+/g, (word) => (isAround(word) ? unpinged(word) : word));
}

function lineText({ tone, facts, link }: Line, colours: boolean, name: (text: string) => string): string {
  const texts = facts.map((fact) => name(clean(fact)));
  if (link !== undefined) texts.push(clean(link).replaceAll(" ", "%20"));
  const colour = colours ? COLOURS[tone] : undefined;
  const paint = (text: string): string => (colour === undefined ? text : `\x03${colour}${text}\x0f`);
  const word = WORDS[tone];
  if (texts[0] !== undefined && word !== undefined) texts[0] = texts[0].replace(word, paint);
  const sign = SIGNS[tone];
  return [...(sign === "" ? [] : [paint(sign)]), texts.join(" · ")].join(" ");
}
