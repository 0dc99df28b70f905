/** What the builds of a project came to, one after the other: the numbers behind its charts. */
import { type Build, durationMs, type FinishedBuild, isFinished, isWhole } from "../../builds/build.ts";
import { coveragePercent } from "../../results/coverage.ts";

/** One build in the charts; what it did not measure is missing. */
export interface TrendPoint {
  readonly build: FinishedBuild;
  readonly durationMs: number;
  /** 0 to 100. */
  readonly coverage: number | undefined;
  /** Of the tests that were not skipped, in percent. */
  readonly passRate: number | undefined;
}

/**
 * Oldest first, without what cannot be compared: cancelled builds, those that never began, and those that ran only some steps.
 * @param newestFirst builds of one project.
 */
export function trendOf(newestFirst: readonly Build[]): TrendPoint[] {
  return newestFirst
    .filter(isFinished)
    .filter((build) => {
      const { state } = build;
      return state.kind !== "cancelled" && state.startedAt !== undefined && isWhole(build);
    })
    .map((build) => ({
      build,
      durationMs: durationMs(build),
      coverage: coverageOf(build),
      passRate: passRateOf(build),
    }))
    .toReversed();
}

/** A part of the tests covers a part of the sources, which would look like a fall. */
function coverageOf({ results }: FinishedBuild): number | undefined {
  const found = results?.coverage;
  return found === undefined || found.partial === true ? undefined : coveragePercent(found.totals);
}

function passRateOf({ results }: FinishedBuild): number | undefined {
  const tests = results?.tests;
  if (tests === undefined) return undefined;
  const ran = tests.total - tests.skipped;
  return ran <= 0 ? undefined : ((ran - tests.failed) / ran) * 100;
}
