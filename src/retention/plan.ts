/** Which builds lose what: a decision about facts, so that a dry run and a run come to the same. */
import type { Retention } from "../config.ts";
import type { BuildNumber, ProjectName } from "../names.ts";
import type { BuildFacts } from "./facts.ts";

/** What of a build has had its time; with `build` the record and everything else of it goes. */
export type Expired = "build" | "log" | "artifacts" | "coverage";

export interface Goes {
  readonly number: BuildNumber;
  readonly project: ProjectName;
  readonly what: readonly Expired[];
}

export interface Judged {
  readonly goes: readonly Goes[];
  /** How many would have gone if nobody needed them any more. */
  readonly kept: number;
}

type Ages = Pick<Retention, "builds" | "logsMs" | "artifactsMs" | "coverageMs">;

/**
 * @param facts of every build, in any order. @param needed numbers that an incident, a release or anybody else still refers to.
 * The last good build of a branch is needed too, whatever its age, and so is what is not over.
 */
export function judgeBuilds(
  facts: readonly BuildFacts[],
  needed: ReadonlySet<number>,
  retention: Ages,
  now: Date,
): Judged {
  const lastGood = lastGoodBuilds(facts);
  const newestFirst = facts.toSorted((a, b) => b.number - a.number);
  const goes: Goes[] = [];
  let kept = 0;
  for (const [place, { number, project, finishedAt }] of newestFirst.entries()) {
    if (finishedAt === undefined) continue;
    const ageMs = now.getTime() - finishedAt;
    const what: Expired[] = [];
    if (place >= retention.builds) what.push("build");
    else {
      if (ageMs > retention.logsMs) what.push("log");
      if (ageMs > retention.artifactsMs) what.push("artifacts");
      if (ageMs > retention.coverageMs) what.push("coverage");
    }
    if (what.length === 0) continue;
    if (needed.has(number) || lastGood.has(number)) kept += 1;
    else goes.push({ number, project, what });
  }
  return { goes, kept };
}

/** The newest that passed, of each branch of each project. */
function lastGoodBuilds(facts: readonly BuildFacts[]): ReadonlySet<number> {
  const newest = new Map<string, number>();
  for (const { number, project, branch, state, pullRequest } of facts) {
    // A pull request's build is of its own head, and says nothing of the branch that it goes to.
    if (state !== "passed" || branch === undefined || pullRequest !== undefined) continue;
    const key = `${project}\0${branch}`;
    if (number > (newest.get(key) ?? 0)) newest.set(key, number);
  }
  return new Set(newest.values());
}
