/** How long the builds of a project took, as a chart. */
import { type Build, durationMs, type FinishedBuild, isFinished, isWhole } from "../builds/build.ts";
import type { Chart } from "../chat/reply.ts";

/** How many builds a chart shows. */
export const CHARTED = 20;

/**
 * The builds whose times can be compared, oldest first, the last 20 at most: those that ran, in whole, to an end of their own.
 * @param newestFirst builds of one project.
 */
export function comparable(newestFirst: readonly Build[]): FinishedBuild[] {
  return newestFirst
    .filter(isFinished)
    .filter((build) => {
      const { state } = build;
      return state.kind !== "cancelled" && state.startedAt !== undefined && isWhole(build);
    })
    .slice(0, CHARTED)
    .reverse();
}

/** Undefined for fewer than two builds, which are no picture. */
export function durationChart(project: string, builds: readonly FinishedBuild[]): Chart | undefined {
  if (builds.length < 2) return undefined;
  return {
    title: `${project}: time of the last ${builds.length} builds`,
    unit: "ms",
    points: builds.map((build) => ({ label: `#${build.number}`, value: durationMs(build), tone: build.state.kind })),
  };
}
