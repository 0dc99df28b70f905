/** What a page has to know of a log before it shows any of it, pieces of a log by line, and where in it words stand. */
import type { Readable } from "node:stream";
import { type Section, sectionAt } from "../web/client/log-headers.ts";
import { type LogLine, numberedLines } from "./log-files.ts";
import { plainText } from "./plain-text.ts";

const SECTIONS_MAX = 1_000;
/** Lines at the end that come with the outline. */
const TAIL_LINES = 500;

export interface LogOutline {
  /** How many lines there are, the one that is not at its end yet among them. */
  readonly lines: number;
  readonly bytes: number;
  /** The last line has its newline: what comes next begins a new one. */
  readonly isWhole: boolean;
  readonly sections: readonly Section[];
  /** The last lines. */
  readonly tail: readonly string[];
}

/** Reads a log once. */
export async function outlineOf(log: Readable): Promise<LogOutline> {
  let bytes = 0;
  let isWhole = true;
  let lines = 0;
  const sections: Section[] = [];
  let tail: string[] = [];
  const counted = async function* (): AsyncGenerator<Buffer, void, undefined> {
    for await (const chunk of log as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (chunk.length > 0) isWhole = chunk.at(-1) === 10;
      yield chunk;
    }
  };
  for await (const batch of numberedLines(counted())) {
    for (const { number, text } of batch) {
      const section = sections.length < SECTIONS_MAX ? sectionAt(number, text) : undefined;
      if (section !== undefined) sections.push(section);
    }
    lines = batch.at(-1)?.number ?? lines;
    tail = [...tail, ...batch.slice(-TAIL_LINES).map(({ text }) => text)].slice(-TAIL_LINES);
  }
  return { lines, bytes, isWhole, sections, tail };
}

/** Lines `from` to `from + count - 1`, as far as there are any. The log is read no further and closed. */
export async function linesFrom(log: Readable, from: number, count: number): Promise<LogLine[]> {
  const found: LogLine[] = [];
  try {
    for await (const batch of numberedLines(log)) {
      const last = batch.at(-1)?.number ?? 0;
      if (last >= from) found.push(...batch.filter(({ number }) => number >= from && number < from + count));
      if (last >= from + count - 1) break;
    }
  } finally {
    log.destroy();
  }
  return found;
}

export interface LogMatches {
  /** How many lines have the words in them. */
  readonly count: number;
  /** The first of them. */
  readonly lines: readonly LogLine[];
}

/** The lines with these words in them as a reader sees them, in upper or lower case alike. */
export async function findLines(log: Readable, words: string, most: number): Promise<LogMatches> {
  const wanted = words.toLowerCase();
  const lines: LogLine[] = [];
  let count = 0;
  for await (const batch of numberedLines(log)) {
    for (const line of batch) {
      if (!plainText(line.text).toLowerCase().includes(wanted)) continue;
      count += 1;
      if (lines.length < most) lines.push(line);
    }
  }
  return { count, lines };
}
