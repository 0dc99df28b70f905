/** What was wrong with a step's reports, in a bounded number of bounded sentences. */
import { plainText } from "../builds/plain-text.ts";
import type { Mask } from "../pipeline/masking.ts";

const WARNINGS_MAX = 20;
const WARNING_LENGTH = 300;
/** A file's name is cut here, so that what is wrong with it can still be read behind it. */
const NAME_LENGTH = 160;

export interface Warnings {
  /** @param subject a file, a pattern or a key, as it came from outside. @param what is wrong with it. */
  add(subject: string, what: string): void;
  /** In the order in which they came; of too many the last one says how many more there were. */
  list(): string[];
}

export function collectWarnings(mask: Mask): Warnings {
  const kept = new Set<string>();
  let more = 0;
  return {
    add(subject, what) {
      const name = cut(mask.text(plainText(subject.replaceAll(/[\n\r\u2028\u2029]/g, " "))), NAME_LENGTH);
      const sentence = cut(`${name}: ${mask.text(plainText(what))}`, WARNING_LENGTH);
      if (kept.has(sentence)) return;
      if (kept.size < WARNINGS_MAX) kept.add(sentence);
      else more += 1;
    },
    list() {
      const all = [...kept];
      return more === 0 ? all : [...all.slice(0, -1), `and ${more + 1} more of the kind`];
    },
  };
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
