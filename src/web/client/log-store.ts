/** The lines of a log that the page has at the moment; the others are fetched when they are looked at. */
import { type Section, sectionAt } from "./log-headers.ts";

/** Fetched at once. */
const BLOCK = 500;
/** With more lines than that in memory, those far from where somebody looks are forgotten. */
const HELD_MAX = 60_000;
const HELD_AROUND = 5_000;
const LINE_MAX = 16 * 1024;

/** What `/builds/:n/log/outline` says. */
export interface Outline {
  readonly lines: number;
  readonly bytes: number;
  readonly isWhole: boolean;
  readonly sections: readonly Section[];
  readonly tail: readonly string[];
}

export class LogStore {
  count = 0;
  sections: Section[] = [];
  readonly #address: string;
  readonly #changed: () => void;
  #lines = new Map<number, string>();
  #isWhole = true;
  #asked = new Set<number>();
  /** Answers to what was asked before the log was taken anew count no more. */
  #turn = 0;

  /** @param changed told when there is more to show. */
  constructor(address: string, changed: () => void) {
    this.#address = address;
    this.#changed = changed;
  }

  /** Begins anew with what the server says of the whole log. */
  take(outline: Outline): void {
    this.#turn += 1;
    this.count = outline.lines;
    this.sections = [...outline.sections];
    this.#isWhole = outline.isWhole;
    this.#asked = new Set();
    const first = outline.lines - outline.tail.length + 1;
    this.#lines = new Map(outline.tail.map((text, index) => [first + index, text]));
    this.#changed();
  }

  line(number: number): string | undefined {
    return this.#lines.get(number);
  }

  /** What is written to the log, as it comes. @returns the numbers of the lines that are new. */
  append(text: string): number[] {
    const parts = text.split("\n");
    const added: number[] = [];
    for (const [index, part] of parts.entries()) {
      const isLast = index === parts.length - 1;
      if (isLast && part === "") break;
      if (this.#isWhole) {
        this.count += 1;
        added.push(this.count);
        this.#lines.set(this.count, part.slice(0, LINE_MAX));
      } else {
        this.#lines.set(this.count, ((this.#lines.get(this.count) ?? "") + part).slice(0, LINE_MAX));
      }
      this.#isWhole = !isLast;
      const section = this.#isWhole ? sectionAt(this.count, this.#lines.get(this.count) ?? "") : undefined;
      if (section !== undefined) this.sections.push(section);
    }
    this.#changed();
    return added;
  }

  /** Fetches what is missing of these lines. */
  need(first: number, last: number): void {
    for (let block = Math.floor((first - 1) / BLOCK); block * BLOCK < last; block += 1) {
      const from = block * BLOCK + 1;
      const isMissing = this.#isMissing(Math.max(from, first), Math.min(from + BLOCK - 1, last, this.count));
      if (isMissing && !this.#asked.has(block)) void this.#fetch(block);
    }
    if (this.#lines.size > HELD_MAX) this.#forget(first, last);
  }

  #isMissing(first: number, last: number): boolean {
    for (let number = first; number <= last; number += 1) if (!this.#lines.has(number)) return true;
    return false;
  }

  async #fetch(block: number): Promise<void> {
    const turn = this.#turn;
    const from = block * BLOCK + 1;
    this.#asked.add(block);
    try {
      const answer = await fetch(`${this.#address}?from=${from}&lines=${BLOCK}`);
      if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
      const lines = (await answer.text()).split("\n").slice(0, -1);
      if (turn !== this.#turn) return;
      for (const [index, text] of lines.entries()) {
        // What came live is newer.
        if (from + index <= this.count && !this.#lines.has(from + index)) this.#lines.set(from + index, text);
      }
      this.#changed();
    } catch {
      // The network is away: it is asked for again when somebody looks there.
    } finally {
      if (turn === this.#turn) this.#asked.delete(block);
    }
  }

  #forget(first: number, last: number): void {
    const isNear = (number: number): boolean =>
      (number > first - HELD_AROUND && number < last + HELD_AROUND) || number > this.count - HELD_AROUND;
    for (const number of this.#lines.keys()) if (!isNear(number)) this.#lines.delete(number);
  }
}
