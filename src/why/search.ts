/** Finds the line of an output that explains a failure: every rule on every line, and the best of what they find. */
import type { LogLine } from "../builds/log-files.ts";
import { type Rule, type Said, UNEXPLAINED } from "./rule.ts";
import { RULES } from "./rules/index.ts";

/** What a rule found. Places are indexes into the lines that were searched. */
export interface Found {
  readonly rule: Rule;
  readonly score: number;
  /** Where the trouble is announced, and where it is told; often the same line. */
  readonly head: number;
  readonly at: number;
  /** Subject, what is said about it, and its details, in one line. */
  readonly text: string;
}

/** A pattern sees no more of a line than this. */
const SEEN = 1_000;
/** So far up a heading is looked for. */
const FARTHEST = 5_000;

/** @param lines plain text, without colours. @returns undefined where no rule finds anything. */
export function findCause(lines: readonly LogLine[]): Found | undefined {
  let best: Found | undefined;
  for (const [at, { text }] of lines.entries()) {
    const seen = text.slice(0, SEEN);
    if (seen.trim() === "") continue;
    for (const rule of RULES) {
      // No rule gives a line more than its weight, so what cannot win need not be looked at closely.
      if (best !== undefined && rule.weight <= best.score) continue;
      const match = rule.pattern.exec(seen);
      if (match === null) continue;
      const found = follow(rule, match, at, lines);
      if (best === undefined || found.score > best.score) best = found;
    }
  }
  return best;
}

function follow(rule: Rule, match: RegExpExecArray, head: number, lines: readonly LogLine[]): Found {
  const { subject, said } = match.groups ?? {};
  if (rule.said === undefined) {
    const words = said ?? (subject === undefined ? textAt(lines, head) : undefined);
    return {
      rule,
      score: rule.weight,
      head,
      at: head,
      text: sentence([subject, words, ...details(rule, head, lines)]),
    };
  }
  const at = findSaid(rule.said, head, subject, lines);
  if (at === undefined) {
    return { rule, score: rule.weight - UNEXPLAINED, head, at: head, text: textAt(lines, head) };
  }
  const told = rule.said.pattern.exec(lines[at.match]?.text.slice(0, SEEN) ?? "")?.groups?.said ?? "";
  const between = rule.said.joined === true ? lines.slice(head + 1, at.match).map(({ text }) => text.trim()) : [];
  const name = [subject, ...between].filter((part) => part !== undefined && part !== "").join(" ");
  const text = at.match === at.line ? told : `${told} ${textAt(lines, at.line)}`;
  return {
    rule,
    score: rule.weight,
    head,
    at: at.line,
    text: sentence([name.replace(/:$/, ""), text.trim(), ...details(rule, at.line, lines)]),
  };
}

interface SaidAt {
  /** The line of the pattern, and the one with the words: the next one that is not empty where the pattern's are. */
  readonly match: number;
  readonly line: number;
}

function findSaid(
  said: Said,
  head: number,
  subject: string | undefined,
  lines: readonly LogLine[],
): SaidAt | undefined {
  const below = sayingOf(said, head, lines);
  if (below !== undefined || said.under === undefined) return below;
  const farthest = Math.max(0, head - FARTHEST);
  for (let at = head - 1; at >= farthest && subject !== undefined; at -= 1) {
    const text = lines[at]?.text.slice(0, SEEN) ?? "";
    if (!text.includes(subject) || said.under.exec(text)?.groups?.subject !== subject) continue;
    const found = sayingOf(said, at, lines);
    if (found !== undefined) return found;
  }
  return undefined;
}

function sayingOf(said: Said, head: number, lines: readonly LogLine[]): SaidAt | undefined {
  let last: SaidAt | undefined;
  for (let at = head + 1; at <= head + said.within && at < lines.length; at += 1) {
    const text = lines[at]?.text.slice(0, SEEN) ?? "";
    if (said.until?.test(text) === true) break;
    const match = said.pattern.exec(text);
    if (match === null) continue;
    const found = { match: at, line: isEmpty(match.groups?.said) ? nextWords(at, lines) : at };
    if (said.preferred === undefined || said.preferred.test(textAt(lines, found.line))) return found;
    last = found;
  }
  return last;
}

/** Nothing but a place: `api_test.go:12: `. */
function isEmpty(said: string | undefined): boolean {
  return said === undefined || /^(?:\S+:\d+:)?\s*$/.test(said);
}

function nextWords(at: number, lines: readonly LogLine[]): number {
  const next = lines.findIndex(({ text }, index) => index > at && text.trim() !== "");
  return next === -1 ? at : next;
}

function details({ details: wanted }: Rule, at: number, lines: readonly LogLine[]): string[] {
  if (wanted === undefined) return [];
  return lines
    .slice(at + 1, at + 1 + wanted.within)
    .flatMap(({ text }) => wanted.pattern.exec(text.slice(0, SEEN))?.groups?.said ?? [])
    .slice(0, wanted.most)
    .map((text) => text.trim());
}

function textAt(lines: readonly LogLine[], at: number): string {
  return (lines[at]?.text ?? "").trim();
}

/** `TestBlobUpload: api_test.go:512: expected 201, got 500`; details follow after commas. */
function sentence([subject, said, ...rest]: readonly (string | undefined)[]): string {
  const start = [subject, said].filter((part) => part !== undefined && part !== "").join(": ");
  return [start, ...rest].join(", ");
}
