/** Puts together what a build left behind when it is over: its tests, its coverage, what both are compared with, and why it failed. */
import type { Readable } from "node:stream";
import type { Logger } from "pino";
import { type Build, type FinalState, isWhole, type StepResult } from "../builds/build.ts";
import type { Project } from "../config.ts";
import type { Sha } from "../names.ts";
import type { Revisions } from "../revisions.ts";
import { explain } from "../why/explain.ts";
import { baseBuild } from "./base-build.ts";
import { asComparison, compareTests } from "./compare-tests.ts";
import { type CoverageTotals, totalsOf } from "./coverage.ts";
import { coverageChange } from "./coverage-change.ts";
import { packagesOf } from "./packages.ts";
import { patchCoverage } from "./patch-coverage.ts";
import type { Results } from "./results.ts";
import { ARTIFACTS_KEPT, type BuildResults, type CoverageResult, type TestSummary } from "./summary.ts";
import { mergeSummaries } from "./tally.ts";

/** Questions to git are a courtesy: a server that is slow does not hold the result up. */
const GIT_TIMEOUT_MS = 10_000;

export interface ConcludeDeps {
  readonly results: Results;
  readonly revisions: Revisions;
  readonly log: Logger;
  /** Builds of the project, newest first. */
  history(project: Build["project"]): Promise<readonly Build[]>;
  openLog(number: number): Promise<Readable | undefined>;
}

export interface EndedBuild {
  readonly build: Build;
  readonly state: FinalState;
  readonly project: Pick<Project, "repo" | "branch">;
}

/**
 * Undefined where there is nothing to tell. What cannot be found out is left out and logged: a result does not depend on it.
 * @throws the signal's reason.
 */
export async function concludeBuild(
  deps: ConcludeDeps,
  ended: EndedBuild,
  signal: AbortSignal,
): Promise<BuildResults | undefined> {
  const { steps } = ended.build;
  if (ended.state.kind === "cancelled") return undefined;
  const part = async <T>(what: string, of: () => Promise<T | undefined>): Promise<T | undefined> => {
    try {
      return await of();
    } catch (error) {
      signal.throwIfAborted();
      deps.log.warn({ err: error, build: ended.build.number }, `could not tell ${what}`);
      return undefined;
    }
  };
  const tests = testsOf(steps);
  const artifacts = artifactsOf(steps);
  const [compared, packages, covered, why] = await Promise.all([
    tests && part("what the tests compare with", () => comparison(deps, ended)),
    tests && part("the packages", () => packagesOf(deps.results, ended.build.number)),
    part("the coverage", () => coverage(deps, ended, signal)),
    part("why it failed", () => explanation(deps, ended)),
  ]);
  const results: BuildResults = {
    ...(tests && { tests }),
    ...(compared && { comparison: compared }),
    ...(packages && { packages }),
    ...(covered && { coverage: covered }),
    ...(why && { explanation: why }),
    ...(artifacts && { artifacts }),
  };
  return Object.keys(results).length === 0 ? undefined : results;
}

function testsOf(steps: readonly StepResult[]): TestSummary | undefined {
  const summaries = steps.flatMap(({ tests }) => tests ?? []);
  return summaries.length === 0 ? undefined : mergeSummaries(summaries);
}

function artifactsOf(steps: readonly StepResult[]): BuildResults["artifacts"] {
  // Of two lanes that leave a file of one name the later one's is there.
  const byPath = new Map(steps.flatMap((step) => step.artifacts ?? []).map((artifact) => [artifact.path, artifact]));
  return byPath.size === 0 ? undefined : [...byPath.values()].slice(0, ARTIFACTS_KEPT);
}

async function comparison(
  { results, history }: ConcludeDeps,
  { build, project }: EndedBuild,
): Promise<BuildResults["comparison"]> {
  if (!isWhole(build)) return undefined;
  const newestFirst = await history(build.project);
  const branch = build.revision?.pullRequest === undefined ? project.branch : build.revision.ref;
  const base = baseBuild(build, newestFirst, branch, (other) => other.results?.tests !== undefined);
  if (base === undefined) return undefined;
  const compared = await compareTests(results.tests(base.number), results.tests(build.number));
  // Its tests are not kept on this machine, or not any more: all would look new.
  return compared.before === 0 ? undefined : asComparison(compared, base.number);
}

async function coverage(
  deps: ConcludeDeps,
  { build, state, project }: EndedBuild,
  signal: AbortSignal,
): Promise<CoverageResult | undefined> {
  const totals = await totalsOfBuild(deps, build);
  if (totals === undefined) return undefined;
  const { change, baseSha } = await changeOf(deps, { build, project }, signal);
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(GIT_TIMEOUT_MS)]);
  const from = hasPatch(build, project.branch) ? baseSha : undefined;
  const patch = await patchOf(deps, build, project, from, inTime).catch((error: unknown) => {
    signal.throwIfAborted();
    deps.log.warn({ err: error, build: build.number }, "could not tell which lines were changed");
    return undefined;
  });
  return {
    totals,
    change,
    ...(patch === undefined ? {} : { patch }),
    ...(state.kind === "passed" ? {} : { partial: true }),
  };
}

/** Builds of the main branch that somebody asked for by hand have no patch: git is not asked while they wait for their answer. */
function hasPatch({ event = "chat", revision }: Build, mainBranch: string): boolean {
  const isMain = revision?.kind === "branch" && revision.ref === mainBranch;
  return !isMain || event === "push";
}

/** What the coverage of a build is or will be compared with, and the commit that stands for. */
async function changeOf(
  deps: Pick<ConcludeDeps, "history" | "revisions" | "log">,
  { build, project }: Pick<EndedBuild, "build" | "project">,
  signal: AbortSignal,
): Promise<{ change: CoverageResult["change"]; baseSha: Sha | undefined }> {
  const { revision } = build;
  const isMain = revision?.kind === "branch" && revision.ref === project.branch;
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(GIT_TIMEOUT_MS)]);
  const history = await deps.history(build.project);
  // A pull request is tested merged: from where it once left its target, the target's own changes would count as its own.
  const mergeBase =
    isMain || revision === undefined || revision.pullRequest !== undefined
      ? revision?.pullRequest?.base
      : await deps.revisions.mergeBase(project.repo, project.branch, revision.sha, inTime).catch((error: unknown) => {
          signal.throwIfAborted();
          deps.log.warn({ err: error, build: build.number }, "could not tell where a branch began");
          return undefined;
        });
  const change = coverageChange({ build, branch: project.branch, mergeBase, history });
  const base = change.kind === "since" ? history.find(({ number }) => number === change.build) : undefined;
  return { change, baseSha: base?.revision?.sha ?? mergeBase };
}

/** What the coverage of a build that runs will be compared with, where there is something. */
export async function totalsBefore(
  deps: Pick<ConcludeDeps, "history" | "revisions" | "log">,
  ended: Pick<EndedBuild, "build" | "project">,
  signal: AbortSignal,
): Promise<CoverageTotals | undefined> {
  const { change } = await changeOf(deps, ended, signal);
  return change.kind === "since" ? change.totals : undefined;
}

/** Of one step as it was counted; of several, what they ran together. */
async function totalsOfBuild({ results }: ConcludeDeps, { number, steps }: Build): Promise<CoverageTotals | undefined> {
  const counted = steps.flatMap((step) => step.coverage ?? []);
  if (counted.length <= 1) return counted[0];
  const report = await results.coverage(number);
  return report && totalsOf(report);
}

async function patchOf(
  { results, revisions }: ConcludeDeps,
  build: Build,
  project: EndedBuild["project"],
  from: Sha | undefined,
  signal: AbortSignal,
): Promise<CoverageResult["patch"]> {
  const { sha: to, pullRequest } = build.revision ?? {};
  if (from === undefined || to === undefined || from === to) return undefined;
  const [changed, report] = await Promise.all([
    pullRequest === undefined
      ? revisions.changedLines(project.repo, from, to, signal)
      : revisions.mergedLines(project.repo, to, pullRequest.base, signal),
    results.coverage(build.number),
  ]);
  return report && patchCoverage(report, changed);
}

async function explanation(
  { openLog }: ConcludeDeps,
  { build, state }: EndedBuild,
): Promise<BuildResults["explanation"]> {
  if (state.kind !== "failed" && state.kind !== "errored") return undefined;
  return explain({ state, steps: build.steps }, await openLog(build.number));
}
