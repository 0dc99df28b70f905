/** Finished builds with test results, for the tests of the ledger. */
import { Build, type FinishedBuild, isFinished, type StepResult } from "../../src/builds/build.ts";
import type { TestName } from "../../src/results/test-case.ts";
import { ADA, ago, revisionOf } from "../support/records.ts";

export const BLOB: TestName = { suite: "registry/handlers", name: "TestBlobUpload" };
export const CATALOG: TestName = { suite: "registry/handlers", name: "TestCatalog" };
export const PROXY: TestName = { suite: "registry/proxy", name: "TestProxy" };

export interface Run {
  readonly project?: string;
  readonly sha?: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly daysAgo?: number;
  /** Of a pull request: what it was merged into. */
  readonly base?: string;
}

/** A build that is over, and the results of its steps. */
export function ran(
  number: number,
  steps: readonly StepResult[],
  { project = "docker-registry", sha = "0", params = {}, daysAgo = 0, base }: Run = {},
): [FinishedBuild, readonly StepResult[]] {
  const at = { startedAt: ago(daysAgo * 86_400 + 60), finishedAt: ago(daysAgo * 86_400) };
  const failed = steps.some(({ state }) => state === "failed");
  const build = Build.parse({
    number,
    project,
    ref: "main",
    revision:
      base === undefined
        ? revisionOf(sha)
        : revisionOf(sha, { kind: "pull_request", pullRequest: { number: 12, base: revisionOf(base).sha } }),
    requester: ADA,
    params,
    attempt: 1,
    requestedAt: at.startedAt,
    state: failed ? { kind: "failed", ...at, reason: "step tests, exit 1" } : { kind: "passed", ...at },
    steps,
  });
  if (!isFinished(build)) throw new Error("it is over");
  return [build, build.steps];
}

/** A step with a report of ten tests. */
export function tested(failing: readonly TestName[], changes: Record<string, unknown> = {}): StepResult {
  return stepOf({
    state: failing.length === 0 ? "passed" : "failed",
    tests: {
      total: 10,
      failed: failing.length,
      skipped: 0,
      durationMs: 900,
      failing,
      flaky: [],
      slowest: [],
    },
    ...changes,
  });
}

/** A step without a report, a minute long. */
export function stepOf(changes: Record<string, unknown>): StepResult {
  return Build.shape.steps.element.parse({
    name: "tests",
    kind: "run",
    state: "passed",
    durationMs: 60_000,
    ...changes,
  });
}
