/**
 * What goes out to a chat, as data. A reply says what happened; each chat renders it. No part of it is markup: whatever comes
 * from outside (a commit title, a branch, a test's name) may stand in any text here, and the adapter makes it harmless.
 */
import { z } from "zod";

/** The sign and colour a line begins with; `info` and `refused` have neither. */
export const Tone = z.enum(["passed", "failed", "errored", "cancelled", "running", "queued", "info", "refused"]);
export type Tone = z.infer<typeof Tone>;

/** The four signs, and the two of builds under way (FACE.md). A word always stands beside them. */
export const SIGNS: Readonly<Record<Tone, string>> = {
  passed: "✔",
  failed: "✘",
  errored: "▲",
  cancelled: "■",
  running: "●",
  queued: "○",
  info: "",
  refused: "",
};

/** One thought on one line. Its facts are joined by ` · `, and the link, whole and absolute, comes last. */
export const Line = z.strictObject({
  tone: Tone.default("info"),
  facts: z.array(z.string()),
  link: z.url().optional(),
});
export type Line = z.infer<typeof Line>;

/** An answer or a notice: a line that says it all, and lines of detail where they help. */
export const Reply = z.strictObject({
  lines: z.array(Line).min(1),
  /** Text to be shown as it is, in a fixed pitch: the tail of a log. */
  verbatim: z.array(z.string()).optional(),
});
export type Reply = z.infer<typeof Reply>;

/** A reply of one line. */
export function say(tone: Tone, facts: readonly string[], link?: string): Reply {
  return { lines: [line(tone, facts, link)] };
}

/** One line; facts that are empty are left out. */
export function line(tone: Tone, facts: readonly string[], link?: string): Line {
  return { tone, facts: facts.filter((fact) => fact !== ""), ...(link === undefined ? {} : { link }) };
}

/** A line as plain text, `✔ hello #1 passed in 4.1s · 6 tests · http://…`: for terminals, mails and tests. */
export function lineText({ tone, facts, link }: Line): string {
  const body = [...facts, ...(link === undefined ? [] : [link])].join(" · ");
  const sign = SIGNS[tone];
  return sign === "" ? body : `${sign} ${body}`;
}
