/**
 * What one step printed, taken out of a build's log in one pass: the beginning and the end of it, so that a log of a gigabyte
 * takes no more memory than another.
 */
import type { Readable } from "node:stream";
import { type LogLine, numberedLines } from "../builds/log-files.ts";
import { plainText } from "../builds/plain-text.ts";
import { LANE_BAR } from "../pipeline/plan.ts";

const HEAD_CHARACTERS = 256 * 1024;
const TAIL_CHARACTERS = 2 * 1024 ** 2;
/** A line of docker-ci's own. */
const OURS = "── ";
/** `2 of 3: tests` in front of ` · `. */
const BEGINNING = /^── step (?:\d+ of \d+: )?(.+?) · /;
/** `$ make test`, as the step's script is shown before it runs. */
const SCRIPT = "$ ";

export interface StepOutput {
  /** Plain text, in the order of the log; in the middle of a long one lines are missing. */
  readonly lines: readonly LogLine[];
  /** Of the line that docker-ci wrote about the end of the step, or else about the end of the build. */
  readonly endLine: number | undefined;
  /** The first line with the words that were looked for. */
  readonly needleLine: number | undefined;
}

/**
 * @param label of the step; undefined for all that was printed.
 * @param needle words that a line of the step may contain.
 */
export async function readStepOutput(
  log: Readable,
  label: string | undefined,
  needle: string | undefined,
): Promise<StepOutput> {
  const kept = new Kept();
  const lane = label === undefined ? undefined : label + LANE_BAR;
  const ended = label === undefined ? undefined : `── step ${label} `;
  let inStep = label === undefined;
  let inLane = false;
  let inScript = false;
  let endLine: number | undefined;
  let needleLine: number | undefined;
  for await (const lines of numberedLines(log)) {
    for (const { number, text } of lines) {
      const own = lane !== undefined && text.startsWith(lane);
      if (own && !inLane) {
        // Steps run side by side: from the first such line on only these are the step's.
        inLane = true;
        kept.clear();
      }
      const said = own ? text.slice(lane.length) : text;
      if (said.startsWith(OURS)) {
        const begins = BEGINNING.exec(said)?.[1];
        if (begins !== undefined && begins === label) {
          kept.clear();
          needleLine = undefined;
          inStep = true;
          inScript = true;
        } else if (ended !== undefined && said.startsWith(ended) && inStep) {
          inStep = false;
          endLine = number;
        } else if (label === undefined) {
          endLine = number;
        }
        continue;
      }
      if (!(inLane ? own : inStep)) continue;
      if (inScript && said.startsWith(SCRIPT)) continue;
      inScript = false;
      if (needle !== undefined && needleLine === undefined && said.includes(needle)) needleLine = number;
      kept.add({ number, text: said });
    }
  }
  return { lines: kept.lines(), endLine, needleLine };
}

/** The first and the last of many lines. */
class Kept {
  #head: LogLine[] = [];
  #headCharacters = 0;
  #tail: LogLine[] = [];
  #tailCharacters = 0;
  #dropped = 0;

  clear(): void {
    this.#head = [];
    this.#headCharacters = 0;
    this.#tail = [];
    this.#tailCharacters = 0;
    this.#dropped = 0;
  }

  add(line: LogLine): void {
    if (this.#headCharacters < HEAD_CHARACTERS) {
      this.#headCharacters += line.text.length + 1;
      this.#head.push(line);
      return;
    }
    this.#tail.push(line);
    this.#tailCharacters += line.text.length + 1;
    while (this.#tailCharacters > TAIL_CHARACTERS) {
      this.#tailCharacters -= (this.#tail[this.#dropped]?.text.length ?? 0) + 1;
      this.#dropped += 1;
    }
    // Moved together now and then: once for each line would take the square of the log's length.
    if (this.#dropped > 10_000) {
      this.#tail = this.#tail.slice(this.#dropped);
      this.#dropped = 0;
    }
  }

  lines(): LogLine[] {
    return [...this.#head, ...this.#tail.slice(this.#dropped)].map(({ number, text }) => ({
      number,
      text: plainText(text).trimEnd(),
    }));
  }
}
