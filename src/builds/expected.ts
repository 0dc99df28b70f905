/** How long a build may be expected to take, from those before it. */
import type { GitRef } from "../names.ts";
import { formatDuration } from "../units.ts";
import { type Build, durationMs, isFinished, isWhole } from "./build.ts";
import { pullRequestName } from "./pull-request.ts";

/** How many earlier builds it is drawn from. */
const HISTORY = 20;
/** What is looked through for them, since not every build passes. */
export const LOOKED_THROUGH = 3 * HISTORY;
/** With fewer builds of the branch itself, those of the whole project say more. */
const BRANCH_LEAST = 3;
const PERCENTILE = 0.9;

export interface ExpectedTimes {
  readonly medianMs: number;
  /** Nine builds in ten took no longer. */
  readonly p90Ms: number;
  /** How many builds say so. */
  readonly from: number;
}

/** Said where there is nothing to go by. */
export const NO_HISTORY = "no earlier build to tell the time from";

/**
 * The times of the last 20 builds that passed in whole: of the branch, where it has three or more, else of all branches.
 * @param newestFirst builds of one project. @param branch as it was asked for, or as it turned out.
 * @returns undefined when none has passed yet.
 */
export function expectedTimes(newestFirst: readonly Build[], branch?: string): ExpectedTimes | undefined {
  const whole = newestFirst.filter(isFinished).filter((build) => build.state.kind === "passed" && isWhole(build));
  const ofBranch = whole.filter((build) => branch !== undefined && branchOf(build) === branch);
  const timesMs = (ofBranch.length < BRANCH_LEAST ? whole : ofBranch)
    .slice(0, HISTORY)
    .map(durationMs)
    .toSorted((a, b) => a - b);
  const from = timesMs.length;
  const [p90Ms] = timesMs.slice(Math.ceil(from * PERCENTILE) - 1);
  if (p90Ms === undefined) return undefined;
  const middle = timesMs.slice(Math.floor((from - 1) / 2), Math.floor(from / 2) + 1);
  const medianMs = middle.reduce((sum, ms) => sum + ms, 0) / middle.length;
  return { medianMs: Math.round(medianMs), p90Ms, from };
}

/** What it stands in a row with: a branch or tag; of a pull request its own name, `PR#12`. */
export function branchOf({ revision, ref }: Pick<Build, "revision" | "ref">): GitRef {
  if (revision?.pullRequest !== undefined) return pullRequestName(revision.pullRequest.number);
  return revision?.ref ?? ref;
}

/** `about 3m10s, 90% within 4m00s`; the second half only where it says something. */
export function expectedPhrase(expected: ExpectedTimes | undefined): string {
  if (expected === undefined) return NO_HISTORY;
  const about = formatDuration(expected.medianMs);
  const within = formatDuration(expected.p90Ms);
  return within === about ? `about ${about}` : `about ${about}, 90% within ${within}`;
}

/** Behind a time that has passed: ` of about 3m10s, 90% within 4m00s`, or that it is longer than usual. */
export function progressPhrase(elapsedMs: number, expected: ExpectedTimes | undefined): string {
  if (expected === undefined) return `, ${NO_HISTORY}`;
  if (elapsedMs > expected.p90Ms) return `, longer than usual: 90% took ${formatDuration(expected.p90Ms)} at most`;
  return ` of ${expectedPhrase(expected)}`;
}
