/** What a step left behind in its container, found and taken out when it ended. */
import type { PlannedStep } from "../pipeline/plan.ts";
import type { RunningContainer } from "../runtime.ts";
import type { CoverageTotals } from "./coverage.ts";
import type { Artifact, TestSummary } from "./summary.ts";

export interface StepFindings {
  /** With all failing tests, up to 1,000, where a record keeps 20. */
  readonly tests: TestSummary | undefined;
  /** A report of tests could not be read, or not to its end: more may have failed than are counted. */
  readonly testsIncomplete?: boolean;
  readonly coverage: CoverageTotals | undefined;
  readonly artifacts: readonly Artifact[];
  /** Sentences that name the file and what is wrong with it. */
  readonly warnings: readonly string[];
}

export const NO_FINDINGS: StepFindings = { tests: undefined, coverage: undefined, artifacts: [], warnings: [] };

/**
 * Looks into the ended container of a `run:` step. What is wrong with a report is a warning.
 * @param tries 1 for the first run of the step, 2 when it was run again.
 * @throws RuntimeError when the engine or the disk fails, or the signal's reason.
 */
export type CollectFindings = (
  planned: PlannedStep,
  container: RunningContainer,
  tries: number,
  signal: AbortSignal,
) => Promise<StepFindings>;
