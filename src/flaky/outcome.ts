/** What a build's steps came to, as little of it as it takes to see that another build of the same revision differs. */
import { z } from "zod";
import type { FinishedBuild, StepResult } from "../builds/build.ts";
import { BuildNumber, Sha } from "../names.ts";
import { stepLabel } from "../pipeline/plan.ts";
import { TestName, testKey } from "../results/test-case.ts";
import type { FlakyEvent } from "./flaky-event.ts";

/** More tests than that do not fail by chance, and a ledger is no place for them. */
const FAILING_MAX = 100;

const StepOutcome = z.strictObject({
  step: z.string(),
  passed: z.boolean(),
  durationMs: z.number().int().nonnegative(),
  /** Missing without a report. */
  tests: z
    .strictObject({
      total: z.number().int(),
      skipped: z.number().int(),
      failing: z.array(TestName),
      /** Whether these are all that failed. */
      complete: z.boolean(),
    })
    .optional(),
});
type StepOutcome = z.infer<typeof StepOutcome>;

export const Outcome = z.strictObject({
  build: BuildNumber,
  sha: Sha,
  /** What a pull request was merged into: merged into something else it is another revision. */
  base: Sha.optional(),
  at: z.iso.datetime(),
  /** Builds with other parameters are other experiments. */
  params: z.record(z.string(), z.string()),
  steps: z.array(StepOutcome),
});
export type Outcome = z.infer<typeof Outcome>;

export type JudgedBuild = Pick<FinishedBuild, "number" | "project" | "revision" | "params" | "state">;

/** Undefined where there is nothing to compare: no revision, or no step ran to its end. */
export function outcomeOf(build: JudgedBuild, steps: readonly StepResult[]): Outcome | undefined {
  const ran = steps.filter(isJudged);
  if (build.revision === undefined || ran.length === 0) return undefined;
  return {
    build: build.number,
    sha: build.revision.sha,
    ...(build.revision.pullRequest === undefined ? {} : { base: build.revision.pullRequest.base }),
    at: build.state.finishedAt,
    params: build.params,
    steps: ran.map((step): StepOutcome => {
      const { tests } = step;
      const outcome = { step: stepLabel(step), passed: step.state === "passed", durationMs: step.durationMs };
      if (tests === undefined) return outcome;
      const failing = tests.failing.slice(0, FAILING_MAX).map(({ suite, name }) => ({ suite, name }));
      const { total, skipped, failed } = tests;
      return { ...outcome, tests: { total, skipped, failing, complete: failed <= failing.length } };
    }),
  };
}

/** What a build found out by itself: a step that failed, and passed when it was run again (`retry_failed`). */
export function secondThoughts(build: JudgedBuild, steps: readonly StepResult[]): FlakyEvent[] {
  const { revision, number, state } = build;
  if (revision === undefined) return [];
  return steps.filter(isJudged).flatMap((step): FlakyEvent[] => {
    const tests = step.tests?.flaky.slice(0, FAILING_MAX) ?? [];
    if (step.flaky !== true && tests.length === 0) return [];
    const event = {
      step: stepLabel(step),
      build: number,
      sha: revision.sha,
      // A step's time is that of all its tries together.
      lostMs: Math.round(step.durationMs / (step.tries ?? 2)),
      at: state.finishedAt,
    };
    return tests.length === 0 ? [event] : tests.map(({ suite, name }) => ({ ...event, test: { suite, name } }));
  });
}

/** What failed in one build and passed in the other, of the same revision and parameters. */
export function changesOfMind(failed: Outcome, passed: Outcome): FlakyEvent[] {
  if (failed.sha !== passed.sha || failed.base !== passed.base || !sameParams(failed.params, passed.params)) return [];
  return failed.steps.flatMap((before): FlakyEvent[] => {
    const after = passed.steps.find(({ step }) => step === before.step);
    if (after === undefined || before.passed) return [];
    const event = {
      step: before.step,
      build: failed.build,
      sha: failed.sha,
      lostMs: before.durationMs,
      at: failed.at,
    };
    const failing = before.tests?.failing ?? [];
    if (failing.length === 0) return after.passed ? [event] : [];
    return failing.filter((test) => passedIn(after, before, test)).map((test) => ({ ...event, test }));
  });
}

/** A report names only what failed: any other test passed, if as many were run as before. */
function passedIn({ tests }: StepOutcome, before: StepOutcome, test: TestName): boolean {
  if (tests === undefined || before.tests === undefined || !tests.complete) return false;
  if (tests.total < before.tests.total || tests.skipped > before.tests.skipped) return false;
  return !tests.failing.some((other) => testKey(other) === testKey(test));
}

function isJudged({ kind, state }: StepResult): boolean {
  return kind === "run" && (state === "passed" || state === "failed");
}

function sameParams(a: Outcome["params"], b: Outcome["params"]): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
