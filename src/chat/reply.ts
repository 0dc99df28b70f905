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

/**
 * Something that can be done about a reply. A chat with buttons shows one: pressing it is the same as saying `command` (without
 * a prefix), or opens `link`. A chat without buttons leaves them out; the lines say what matters.
 */
export const Action = z.union([
  z.strictObject({
    label: z.string(),
    command: z.string(),
    style: z.enum(["plain", "danger"]).default("plain"),
    /** Pressing it first asks for a line of text, which is then said behind the command; or for nothing, when none is given. */
    ask: z.strictObject({ title: z.string(), label: z.string(), submit: z.string() }).optional(),
  }),
  z.strictObject({ label: z.string(), link: z.url() }),
]);
export type Action = z.infer<typeof Action>;

/** A chart as data: one bar or point a value, oldest first. A chat that shows pictures draws it; its line says the same. */
export const Chart = z.strictObject({
  title: z.string(),
  unit: z.enum(["ms", "percent"]),
  points: z.array(z.strictObject({ label: z.string(), value: z.number(), tone: Tone })).min(1),
});
export type Chart = z.infer<typeof Chart>;

/** An answer or a notice: a line that says it all, and lines of detail where they help. */
export const Reply = z.strictObject({
  lines: z.array(Line).min(1),
  /** Text to be shown as it is, in a fixed pitch: the tail of a log. */
  verbatim: z.array(z.string()).optional(),
  /** A table in a fixed pitch for those who want it all: in a thread or a mail, nowhere else. */
  details: z.array(z.string()).optional(),
  /** A line of a log that says why, for chats with room for it: on IRC, where a second line is a second message, it is left out. */
  quote: z.string().optional(),
  /**
   * Names what it is about: `build-42`. Where messages can be edited, one with the same key in the same room takes the place of
   * the earlier one; elsewhere it is a message like any other.
   */
  key: z.string().optional(),
  /** Where it takes the place of an earlier one, all of its lines do; otherwise the first does, and the others are said beside it. */
  inPlace: z.boolean().optional(),
  /** A story that goes on over several messages: `incident-43`. Where there are threads (Slack, mail) they stand in one. */
  topic: z.string().optional(),
  actions: z.array(Action).optional(),
  chart: Chart.optional(),
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
