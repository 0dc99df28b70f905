/** What docker-ci's own words about an end come to: the reason of a build, the meaning of a step. */
import type { StepResult } from "../builds/build.ts";
import type { Explanation } from "../results/summary.ts";

const REASONS: readonly (readonly [pattern: RegExp, kind: Explanation["kind"]])[] = [
  [/cannot be pulled/, "registry"],
  [
    /cannot reach|cannot be reached|no such host|connection refused|no answer in time|no route to host|does not answer/,
    "network",
  ],
  [/disk is full|no space left|disk limit/, "disk"],
  [/time limit|idle limit/, "time"],
  [/out of memory/, "memory"],
  [/\bmerge|conflict|\bbranch\b|\bcommit\b|submodule|\bgit\b/, "git"],
];

/** Of a build without a step that failed. */
export function kindOfReason(reason: string): Explanation["kind"] {
  return REASONS.find(([pattern]) => pattern.test(reason))?.[1] ?? "command";
}

export interface PassedLimit {
  readonly kind: "memory" | "time" | "disk";
  readonly words: string;
  /** The step ended by it; else some process within did, and the step for what came of that. */
  readonly isWhole: boolean;
}

/** The limit that a step passed, as `exitMeaning` words it. */
export function limitOf({ meaning = "" }: Pick<StepResult, "meaning">): PassedLimit | undefined {
  if (/^(?:time limit |silent for .* \(idle limit\))/.test(meaning))
    return { kind: "time", words: meaning, isWhole: true };
  if (/^disk limit /.test(meaning)) return { kind: "disk", words: meaning, isWhole: true };
  if (/^out of memory/.test(meaning)) return { kind: "memory", words: `ran ${meaning}`, isWhole: true };
  const within = /a process in it (ran out of memory.*)$/.exec(meaning);
  return within === null ? undefined : { kind: "memory", words: `a process ${within[1]}`, isWhole: false };
}
