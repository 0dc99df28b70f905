/** What is known of one way in which a tool says that something is wrong: data, for the search to try on every line. */
import type { Explanation } from "../results/summary.ts";

export interface Rule {
  /** `go: a failing test` */
  readonly name: string;
  readonly kind: Explanation["kind"];
  /**
   * Tried on a line without colours. Its group `subject`, where it has one, is what the trouble is with (a test, a file), and stands
   * in front of what is said; its group `said` is the part of the line that counts.
   */
  readonly pattern: RegExp;
  /** 0 to 100: how much such a line explains. Of equals the first in the log wins, as the first error mostly is the cause. */
  readonly weight: number;
  /** Where the line only announces: what is said about it stands near. Without it the rule is worth much less. */
  readonly said?: Said;
  /** Lines that belong to the one that is found, such as what was expected and what came: put behind it. */
  readonly details?: { readonly pattern: RegExp; readonly within: number; readonly most: number };
  /** How many lines around the telling one help to understand it; five are shown at the most. */
  readonly before?: number;
  readonly after?: number;
}

export interface Said {
  /** With a group `said`; an empty one means the next line that is not. */
  readonly pattern: RegExp;
  /** How many lines away it may be. */
  readonly within: number;
  /** Where the search for it ends. */
  readonly until?: RegExp;
  /** Of several the first that this finds, else the last. Default: the first of all. */
  readonly preferred?: RegExp;
  /** A heading, with the same `subject`, under which it stands further up, where it does not stand below. */
  readonly under?: RegExp;
  /** The lines between belong to the subject. */
  readonly joined?: boolean;
}

/** What an announcement is worth when nothing is said about it. */
export const UNEXPLAINED = 30;
