/** What a build's coverage is compared with. */
import { type Build, isFinished, isWhole } from "../builds/build.ts";
import type { GitRef, Sha } from "../names.ts";
import type { CoverageTotals } from "./coverage.ts";
import type { CoverageResult } from "./summary.ts";

export interface CoverageChangeQuestion {
  readonly build: Pick<Build, "number" | "project" | "revision">;
  /** The project's main branch. */
  readonly branch: GitRef;
  /** Of other branches: where they left the main branch; undefined where that is not known. Of pull requests: what they were merged into. */
  readonly mergeBase: Sha | undefined;
  /** Builds of the project, newest first; this one and others may be among them. */
  readonly history: readonly Build[];
}

/**
 * A build of the main branch is compared with the one before it there, and so a second build of one revision changes nothing;
 * any other with the newest build of the commit that it began at. Where that commit was not built, nothing else takes its place: the
 * difference would tell of other people's changes.
 */
export function coverageChange({
  build,
  branch,
  mergeBase,
  history,
}: CoverageChangeQuestion): CoverageResult["change"] {
  const isMain = isOf(build, branch);
  const base = history.find((other) => {
    if (other.number === build.number || other.project !== build.project || wholeCoverage(other) === undefined)
      return false;
    if (isMain) return isOf(other, branch) && other.number < build.number;
    // What was tested as a pull request was that commit merged into another.
    return other.revision?.sha === mergeBase && other.revision?.pullRequest === undefined;
  });
  const totals = base && wholeCoverage(base);
  if (base !== undefined && totals !== undefined) return { kind: "since", build: base.number, totals };
  return isMain || mergeBase === undefined ? { kind: "missing" } : { kind: "missing", sha: mergeBase };
}

/** The totals of a finished build whose tests all ran; a part of them would make any change look like a gain. */
export function wholeCoverage(build: Build): CoverageTotals | undefined {
  const coverage = build.results?.coverage;
  if (!isFinished(build) || !isWhole(build) || coverage?.partial === true) return undefined;
  return coverage?.totals;
}

function isOf({ revision }: Pick<Build, "revision">, branch: GitRef): boolean {
  return revision?.kind === "branch" && revision.ref === branch;
}
