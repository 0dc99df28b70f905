/** What of each build decides how long it is kept; little enough to hold a hundred thousand of them. */
import { type Build, isFinished } from "../builds/build.ts";
import { branchOf } from "../builds/expected.ts";
import type { BuildNumber, ProjectName } from "../names.ts";

export interface BuildFacts {
  readonly number: BuildNumber;
  readonly project: ProjectName;
  /** Undefined for a commit that was asked for by its name, and for one that nobody looked up. */
  readonly branch: string | undefined;
  readonly pullRequest: number | undefined;
  readonly state: Build["state"]["kind"];
  /** Milliseconds since 1970; undefined while it is not over. */
  readonly finishedAt: number | undefined;
}

export function factsOf(build: Build): BuildFacts {
  const { number, project, revision, state } = build;
  return {
    number,
    project,
    branch: revision === undefined || revision.kind === "commit" ? undefined : branchOf(build),
    pullRequest: revision?.pullRequest?.number,
    state: state.kind,
    finishedAt: isFinished(build) ? Date.parse(build.state.finishedAt) : undefined,
  };
}
