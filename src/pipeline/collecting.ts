/** Having what a step left behind taken out of its container, and what becomes of it in the step's result. */
import type { StepResult } from "../builds/build.ts";
import { describeError } from "../errors.ts";
import { type CollectFindings, NO_FINDINGS, type StepFindings } from "../results/findings.ts";
import { FAILING_KEPT, type TestSummary } from "../results/summary.ts";
import { type TestName, testKey } from "../results/test-case.ts";
import type { RunningContainer } from "../runtime.ts";
import { formatDuration } from "../units.ts";
import type { PlannedStep } from "./plan.ts";

/** More than of those that fail: each is counted in the ledger of flaky tests. */
const FLAKY_KEPT = 200;
const COLLECTED_WITHIN_MS = 120_000;

/**
 * Collects within a time limit. A data folder that cannot be written to is a warning, as a report that cannot be read is: what
 * the step itself came to is known.
 * @throws the signal's reason, or what the engine threw.
 */
export async function collectInTime(
  collect: CollectFindings | undefined,
  { planned, container, tries }: { planned: PlannedStep; container: RunningContainer; tries: number },
  signal: AbortSignal,
): Promise<StepFindings> {
  if (collect === undefined) return NO_FINDINGS;
  const late = AbortSignal.timeout(COLLECTED_WITHIN_MS);
  try {
    return await collect(planned, container, tries, AbortSignal.any([signal, late]));
  } catch (error) {
    signal.throwIfAborted();
    if (late.aborted)
      return warning(`its reports could not be taken out within ${formatDuration(COLLECTED_WITHIN_MS)}`);
    if (isOfDisk(error)) return warning(`its reports could not be kept: ${describeError(error)}`);
    throw error;
  }
}

function warning(text: string): StepFindings {
  return { ...NO_FINDINGS, warnings: [text] };
}

/** Whether a file's error is at the root: a connection's has one of the codes of networks, or no code. */
function isOfDisk(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.cause !== undefined) return isOfDisk(error.cause);
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const call = "syscall" in error && typeof error.syscall === "string" ? error.syscall : "";
  return call !== "" && call !== "connect" && call !== "getaddrinfo" && !NETWORK_CODES.test(code);
}

const NETWORK_CODES = /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTCONN)/;

/** What a result says of the findings of its last try. */
export function resultOf(findings: StepFindings): Pick<StepResult, "tests" | "coverage" | "artifacts" | "warnings"> {
  const { tests, coverage, artifacts, warnings } = findings;
  return {
    ...(tests === undefined ? {} : { tests: kept(tests) }),
    ...(coverage === undefined ? {} : { coverage }),
    ...(artifacts.length === 0 ? {} : { artifacts: [...artifacts] }),
    ...(warnings.length === 0 ? {} : { warnings: [...warnings] }),
  };
}

/** As much as a record bears. */
function kept(tests: TestSummary): TestSummary {
  return { ...tests, failing: tests.failing.slice(0, FAILING_KEPT), flaky: tests.flaky.slice(0, FLAKY_KEPT) };
}

/** The findings of a second try, with the tests that failed in the first and do not any more named as flaky. */
export function afterFirst(first: StepFindings, second: StepFindings): StepFindings {
  const { tests } = second;
  return tests === undefined ? second : { ...second, tests: { ...tests, flaky: mended(first.tests, tests) } };
}

function mended(first: TestSummary | undefined, second: TestSummary): TestName[] {
  const failing = new Set(second.failing.map(testKey));
  const passing = (first?.failing ?? []).filter((test) => !failing.has(testKey(test)));
  return passing.map(({ suite, name }) => ({ suite, name }));
}
