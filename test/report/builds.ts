/** Build records for reports, without a Redis. */
import { Build, type FinishedBuild, isFinished } from "../../src/builds/build.ts";
import { ADA, revisionOf } from "../support/records.ts";

export interface Ended {
  readonly project: string;
  readonly number: number;
  /** `2026-11-22T07:00:00Z` */
  readonly at: string;
  readonly kind?: "passed" | "failed" | "errored" | "cancelled";
  readonly seconds?: number;
  readonly branch?: string;
  readonly onlySteps?: readonly string[];
}

export function endedBuild({
  project,
  number,
  at,
  kind = "passed",
  seconds = 60,
  branch = "main",
  onlySteps,
}: Ended): FinishedBuild {
  const finishedAt = new Date(at).toISOString();
  const startedAt = new Date(Date.parse(at) - seconds * 1_000).toISOString();
  const reasons = {
    passed: {},
    failed: { reason: "step tests, exit 1" },
    errored: { reason: "no engine", tries: 2 },
    cancelled: { by: "ada" },
  };
  const build = Build.parse({
    number,
    project,
    ref: branch,
    revision: revisionOf("0", { ref: Build.shape.ref.parse(branch) }),
    requester: ADA,
    params: {},
    attempt: 1,
    requestedAt: startedAt,
    steps: [],
    ...(onlySteps === undefined ? {} : { onlySteps }),
    state: { kind, startedAt, finishedAt, ...reasons[kind] },
  });
  if (!isFinished(build)) throw new Error("it is over");
  return build;
}
