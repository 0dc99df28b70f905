/** A build's record as the API gives it. */
import { type Build, durationMs, isFinished, type StepResult } from "../../builds/build.ts";
import { buildUrl } from "../../builds/describe.ts";
import type { WaitsFor } from "../../builds/forecast.ts";
import { artifactPath } from "../../builds/pictures.ts";
import type { TestSummary } from "../../results/summary.ts";
import type { ApiBuild, ApiBuildBrief, WaitsFor as ApiWaitsFor } from "./schemas.ts";

type Json<T> = T extends undefined ? never : T;

/** As lists have it. */
export function briefJson(build: Build, url: string): ApiBuildBrief {
  const { number, project, ref, revision, event = "chat", state, requestedAt, requester, rebuildOf, results } = build;
  return given({
    number,
    project,
    url: buildUrl(url, number),
    ref,
    revision,
    event,
    state: state.kind,
    reason: "reason" in state ? state.reason : undefined,
    requestedAt,
    requestedBy: { name: requester.name, network: requester.network },
    rebuildOf,
    startedAt: "startedAt" in state ? state.startedAt : undefined,
    finishedAt: "finishedAt" in state ? state.finishedAt : undefined,
    durationMs: isFinished(build) ? durationMs(build) : undefined,
    tests: counts(results?.tests),
    coverage: results?.coverage?.totals,
  });
}

export function buildJson(build: Build, url: string): ApiBuild {
  const { number, params, onlySteps, attempt, state, steps, results } = build;
  return given({
    ...briefJson(build, url),
    variables: Object.keys(params),
    onlySteps,
    attempt,
    worker: state.kind === "running" ? state.worker : undefined,
    step: state.kind === "running" ? state.step : undefined,
    cancelledBy: state.kind === "cancelled" ? state.by : undefined,
    conflicts: state.kind === "failed" ? state.conflicts : undefined,
    steps: steps.map(stepJson),
    failing: results?.tests?.failing ?? [],
    comparison: results?.comparison,
    coverageChange: results?.coverage?.change,
    explanation: results?.explanation,
    artifacts: (results?.artifacts ?? []).map(({ path, bytes }) => ({
      path,
      bytes,
      url: `${url}${artifactPath(number, path)}`,
    })),
  });
}

/** What holds a build that waits, besides the slots. */
export function waitsForJson(waitsFor: WaitsFor): ApiWaitsFor {
  if (waitsFor.kind === "worker") return { ...waitsFor, labels: [...waitsFor.labels] };
  if (waitsFor.kind !== "paused") return waitsFor;
  const { project, by, since } = waitsFor.pause;
  return given({ kind: waitsFor.kind, project, by, since });
}

function stepJson({ image: _image, artifacts: _artifacts, tests, ...step }: StepResult): ApiBuild["steps"][number] {
  return given({ ...step, tests: counts(tests) });
}

function counts(tests: TestSummary | undefined): ApiBuildBrief["tests"] {
  if (tests === undefined) return undefined;
  const { total, failed, skipped, durationMs } = tests;
  return { total, failed, skipped, durationMs };
}

type Given<T> = { [Key in keyof T as undefined extends T[Key] ? never : Key]: T[Key] } & {
  [Key in keyof T as undefined extends T[Key] ? Key : never]?: Json<T[Key]>;
};

/** Without what is undefined, as JSON has it. */
function given<T extends object>(fields: T): Given<T>;
function given(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
