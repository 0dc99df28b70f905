/** How a branch stands, as its newest builds say: for badges, monitors and whoever else wants one answer for a branch. */
import { type Build, type FinishedBuild, isFinished } from "./build.ts";
import type { Builds } from "./builds.ts";

/** One that ended by itself is among so many, unless a whole page of them was cancelled. */
const LOOKED_THROUGH = 50;

export interface Standing {
  /** The newest build that ended by itself; a cancelled one says nothing. */
  readonly last: FinishedBuild | undefined;
  /** The newest that the tests decided: it passed or failed. */
  readonly verdict: FinishedBuild | undefined;
  /** The newest that says how much is covered: of the whole, or where there is none of a part. */
  readonly covered: FinishedBuild | undefined;
  readonly running: boolean;
}

/** @param newestFirst builds of one project. Those of a tag or a bare commit are no branch's. */
function standingOf(newestFirst: readonly Build[], branch: string): Standing {
  const ofBranch = newestFirst.filter(({ revision, ref }) =>
    revision === undefined ? ref === branch : revision.kind === "branch" && revision.ref === branch,
  );
  const ended = ofBranch.filter(isFinished).filter(({ state }) => state.kind !== "cancelled");
  const covered = ended.filter(({ results }) => results?.coverage !== undefined);
  return {
    last: ended[0],
    verdict: ended.find(({ state }) => state.kind === "passed" || state.kind === "failed"),
    covered: covered.find(({ results }) => results?.coverage?.partial !== true) ?? covered[0],
    running: ofBranch.some(({ state }) => state.kind === "running"),
  };
}

export async function readStanding(
  builds: Pick<Builds, "history">,
  project: Build["project"],
  branch: string,
): Promise<Standing> {
  const { builds: newest } = await builds.history.page({ project, branch, limit: LOOKED_THROUGH });
  return standingOf(newest, branch);
}
