/** The build record: one numbered run of a project's pipeline at one revision, and the states it goes through. */
import { z } from "zod";
import { Room } from "../chat/message.ts";
import { BuildNumber, GitRef, NetworkName, ProjectName, StepId, StepName } from "../names.ts";
import { BuildEvent } from "../pipeline/build-event.ts";
import { StepResources } from "../pipeline/resources.ts";
import { CoverageTotals } from "../results/coverage.ts";
import { Artifact, BuildResults, TestSummary } from "../results/summary.ts";
import { Revision } from "../revisions.ts";

/** Who asked, as the answer will address them. */
export const Requester = z.strictObject({
  /** The person's name in the configuration, else the account or nick they had. */
  name: z.string(),
  displayName: z.string(),
  /** What the network vouches for of them. */
  account: z.string().optional(),
  network: NetworkName,
  room: Room,
  /** Where the room has threads and it was asked in one. */
  thread: z.string().optional(),
});
export type Requester = z.infer<typeof Requester>;

/** How a step ended; `code` is the container's exit code where there was one, `meaning` what it says in words. */
export const StepResult = z.strictObject({
  name: StepName,
  /** Missing where it is the name: outside a matrix. */
  id: StepId.optional(),
  /** The values of the matrix in this step's lane. */
  lane: z.record(z.string(), z.string()).optional(),
  kind: z.enum(["build", "run"]),
  state: z.enum(["passed", "failed", "errored", "skipped"]),
  startedAt: z.iso.datetime().optional(),
  durationMs: z.number().int().nonnegative(),
  exitCode: z.number().int().optional(),
  meaning: z.string().optional(),
  /** Of one that failed at its work. */
  resources: StepResources.optional(),
  /** The failure was allowed by the pipeline and does not fail the build. */
  allowed: z.boolean().optional(),
  /** Of a `build:` step: the image that later steps run in. */
  image: z.string().optional(),
  /** How often it was run, where that is more than once (`retry_failed`). */
  tries: z.number().int().positive().optional(),
  /** It failed, and passed when it was run again at the same revision. */
  flaky: z.boolean().optional(),
  /** It failed only in tests that are in quarantine. */
  quarantined: z.boolean().optional(),
  tests: TestSummary.optional(),
  coverage: CoverageTotals.optional(),
  artifacts: z.array(Artifact).optional(),
  /** Sentences about reports and artifacts that could not be taken as they were. */
  warnings: z.array(z.string()).optional(),
});
export type StepResult = z.infer<typeof StepResult>;

export const BuildState = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("queued") }),
  z.strictObject({
    kind: z.literal("running"),
    startedAt: z.iso.datetime(),
    worker: z.string(),
    /** The step at work, its place in the line (from 1) and how many there are; none before the pipeline is known. */
    step: z.strictObject({ name: StepName, index: z.number().int(), count: z.number().int() }).optional(),
  }),
  z.strictObject({ kind: z.literal("passed"), startedAt: z.iso.datetime(), finishedAt: z.iso.datetime() }),
  z.strictObject({
    kind: z.literal("failed"),
    startedAt: z.iso.datetime(),
    finishedAt: z.iso.datetime(),
    /** One phrase: `step tests, exit 1`, or what is wrong with the revision itself. */
    reason: z.string(),
    /** Of a pull request that cannot be merged: the files in conflict, none where there is no common history. */
    conflicts: z.array(z.string()).optional(),
  }),
  z.strictObject({
    kind: z.literal("errored"),
    startedAt: z.iso.datetime().optional(),
    finishedAt: z.iso.datetime(),
    reason: z.string(),
    /** How often the machinery was given a chance. */
    tries: z.number().int(),
  }),
  z.strictObject({
    kind: z.literal("cancelled"),
    startedAt: z.iso.datetime().optional(),
    finishedAt: z.iso.datetime(),
    by: z.string(),
    reason: z.string().optional(),
  }),
]);
export type BuildState = z.infer<typeof BuildState>;

export const Build = z.strictObject({
  number: BuildNumber,
  project: ProjectName,
  /** The ref as it was asked for; `revision` is what it meant then. */
  ref: GitRef,
  /** Missing only where the process that took the request has no engine to look with; the worker fills it in. */
  revision: Revision.optional(),
  /** It may hold what an outsider wrote: no secrets, no privileges. */
  untrusted: z.boolean().optional(),
  /** What set it off; missing in records from before it was kept, which were asked for in a chat. */
  event: BuildEvent.optional(),
  requester: Requester,
  /** Why, in the words of who asked. */
  reason: z.string().optional(),
  /** The build that this one repeats. */
  rebuildOf: BuildNumber.optional(),
  /** Run only these `run:` steps; the images they need are built in any case. */
  onlySteps: z.array(StepName).optional(),
  /** Its tests do not decide: they are left out, or may fail. Of a release that was agreed to so. */
  skipTests: z.literal(true).optional(),
  /** What a worker must have for it: what the project asks for, and what its pipeline turned out to ask for. */
  labels: z.array(z.string()).optional(),
  /** Where it was begun last; a data folder's identity tells whether what it left on an engine can be gone on with. */
  ranOn: z.strictObject({ worker: z.string(), instance: z.string() }).optional(),
  /** How long what a failed step left in its container is kept, to be entered; missing: it goes with the container. */
  keepMs: z.number().int().positive().optional(),
  /** `key=value` given with the command: environment of every `run:` step. */
  params: z.record(z.string(), z.string()),
  /** How many times a worker has begun it; 0 while it has not been touched. */
  attempt: z.number().int().nonnegative(),
  requestedAt: z.iso.datetime(),
  state: BuildState,
  steps: z.array(StepResult),
  /** Put together when it is over. */
  results: BuildResults.optional(),
});
export type Build = z.infer<typeof Build>;

/** Whether it did all that its pipeline has: what is compared with others and told of the branch is of such ones. */
export function isWhole({ onlySteps, skipTests }: Pick<Build, "onlySteps" | "skipTests">): boolean {
  return onlySteps === undefined && skipTests === undefined;
}

export type FinalState = Extract<BuildState, { kind: "passed" | "failed" | "errored" | "cancelled" }>;
export type FinishedBuild = Build & { readonly state: FinalState };

export function isFinished(build: Build): build is FinishedBuild {
  return build.state.kind !== "queued" && build.state.kind !== "running";
}

/**
 * Whether the attempt before was made with another data folder, and so on another engine or under other names: its containers and
 * images are not here. One from before that was written down counts as ours.
 */
export function beganElsewhere({ ranOn }: Pick<Build, "ranOn">, instance: string): boolean {
  return ranOn !== undefined && ranOn.instance !== instance;
}

/** Milliseconds from the first step to the end, 0 for a build that never began. */
export function durationMs({ state }: FinishedBuild): number {
  return state.startedAt === undefined ? 0 : Date.parse(state.finishedAt) - Date.parse(state.startedAt);
}
