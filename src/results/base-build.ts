/** Which earlier build a build's tests are compared with. */
import { type Build, type FinishedBuild, isFinished, isWhole } from "../builds/build.ts";

/**
 * The last build of the project's main branch before this one that has what is compared; of a build of the main branch that is its
 * own predecessor. Builds of only some steps are passed over: what they lack is not gone.
 * @param newestFirst builds of the same project.
 */
export function baseBuild(
  build: Pick<Build, "number">,
  newestFirst: readonly Build[],
  mainBranch: string,
  hasIt: (candidate: FinishedBuild) => boolean,
): FinishedBuild | undefined {
  return newestFirst.filter(isFinished).find((candidate) => {
    const { number, revision } = candidate;
    const isOfMain = revision?.kind === "branch" && revision.ref === mainBranch;
    return number < build.number && isOfMain && isWhole(candidate) && hasIt(candidate);
  });
}
