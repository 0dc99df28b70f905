/** Counting builds: how many of a project were tried in a time, how many failed, how long they take. */
import { type Build, durationMs, type FinishedBuild, isFinished, isWhole } from "../builds/build.ts";
import type { ProjectName } from "../names.ts";

/** A build that was cancelled tried nothing and is not counted anywhere. */
export interface Stats {
  /** Builds that came to an end. */
  readonly tried: number;
  /** Those of them whose tests said no. */
  readonly failed: number;
  /** Those of them that the machinery broke. */
  readonly errored: number;
  /** A whole number of percent that failed; undefined where nothing was tried. */
  readonly percent: number | undefined;
  /** Of whole builds that passed: what failed early says nothing about how long one takes. */
  readonly medianMs: number | undefined;
  /** In percent, of the newest build that has one. */
  readonly coverage: number | undefined;
}

export interface ProjectStats extends Stats {
  readonly project: ProjectName;
}

/** The coverage of a build, 0 to 100, where it is known. */
export type CoverageOf = (build: Build) => number | undefined;

/** Builds that ended from `from` on and before `to`. A build belongs to the time in which it ended, whenever it was asked for. */
export function endedWithin(builds: readonly Build[], from: Date, to: Date): FinishedBuild[] {
  return builds.filter(isFinished).filter(({ state }) => {
    const at = Date.parse(state.finishedAt);
    return state.kind !== "cancelled" && at >= from.getTime() && at < to.getTime();
  });
}

export function statsOf(ended: readonly FinishedBuild[], coverageOf: CoverageOf): Stats {
  const count = (kind: FinishedBuild["state"]["kind"]): number =>
    ended.filter(({ state }) => state.kind === kind).length;
  const failed = count("failed");
  const whole = ended.filter((build) => build.state.kind === "passed" && isWhole(build));
  return {
    tried: ended.length,
    failed,
    errored: count("errored"),
    percent: ended.length === 0 ? undefined : Math.round((100 * failed) / ended.length),
    medianMs: median(whole.map(durationMs)),
    coverage: byAge(ended)
      .map(coverageOf)
      .findLast((value) => value !== undefined),
  };
}

/** A line for each project of `names`, tried or not, in their order. */
export function statsByProject(
  ended: readonly FinishedBuild[],
  names: readonly ProjectName[],
  coverageOf: CoverageOf,
): ProjectStats[] {
  return names.map((project) => ({
    project,
    ...statsOf(
      ended.filter((build) => build.project === project),
      coverageOf,
    ),
  }));
}

/** The first to end first; of two at one moment the lower number. */
export function byAge(ended: readonly FinishedBuild[]): FinishedBuild[] {
  return ended.toSorted(
    (a, b) => Date.parse(a.state.finishedAt) - Date.parse(b.state.finishedAt) || a.number - b.number,
  );
}

function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}
