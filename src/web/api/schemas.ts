/** What the API gives, as schemas: the answers are made to these, and the OpenAPI document is written from them. */
import { z } from "@hono/zod-openapi";
import { BuildState, StepResult } from "../../builds/build.ts";
import { BuildEvent } from "../../pipeline/build-event.ts";
import { Dropped } from "../../queue/outbox-lists.ts";
import { OutboxRoomState } from "../../queue/outbox-rooms.ts";
import { PublishStep, ReleasePlan, ReleaseState } from "../../releases/release.ts";
import { CoverageTotals } from "../../results/coverage.ts";
import { CoverageResult, Explanation, TestComparison } from "../../results/summary.ts";
import { FailingTest, TestCase } from "../../results/test-case.ts";
import { Revision } from "../../revisions.ts";

const number = z.int().positive();
const at = z.iso.datetime();
const ms = z.number().nonnegative();

export const STATES = BuildState.options.map((option) => option.shape.kind.value);

const TestCounts = z.object({
  total: z.int().nonnegative(),
  failed: z.int().nonnegative(),
  skipped: z.int().nonnegative(),
  durationMs: ms,
});

export const ApiBuildBrief = z
  .object({
    number,
    project: z.string(),
    url: z.url().meta({ description: "Its page." }),
    ref: z.string().meta({ description: "As it was asked for; `revision` is what it meant then." }),
    revision: Revision.optional(),
    event: BuildEvent,
    state: z.enum(STATES),
    reason: z.string().optional().meta({ description: "Why it did not pass." }),
    requestedAt: at,
    requestedBy: z.object({ name: z.string(), network: z.string() }),
    rebuildOf: number.optional(),
    startedAt: at.optional(),
    finishedAt: at.optional(),
    durationMs: ms.optional(),
    tests: TestCounts.optional(),
    coverage: CoverageTotals.optional(),
  })
  .openapi("BuildBrief");
export type ApiBuildBrief = z.output<typeof ApiBuildBrief>;

const ApiStep = StepResult.pick({
  name: true,
  id: true,
  lane: true,
  kind: true,
  state: true,
  startedAt: true,
  durationMs: true,
  exitCode: true,
  meaning: true,
  resources: true,
  allowed: true,
  tries: true,
  flaky: true,
  quarantined: true,
  coverage: true,
  warnings: true,
}).extend({ tests: TestCounts.optional() });

export const ApiBuild = ApiBuildBrief.extend({
  variables: z
    .array(z.string())
    .meta({ description: "The names of those that were given with it; never their values." }),
  onlySteps: z.array(z.string()).optional(),
  attempt: z.int().nonnegative(),
  worker: z.string().optional(),
  step: z.object({ name: z.string(), index: z.int(), count: z.int() }).optional(),
  cancelledBy: z.string().optional(),
  conflicts: z.array(z.string()).optional().meta({
    description: "Of a pull request that cannot be merged: the files in conflict; none without a common history.",
  }),
  steps: z.array(ApiStep),
  failing: z.array(FailingTest).meta({ description: "The first of the failing tests; all are in `/tests`." }),
  comparison: TestComparison.optional(),
  coverageChange: CoverageResult.shape.change.optional(),
  explanation: Explanation.optional(),
  artifacts: z.array(z.object({ path: z.string(), bytes: z.int().nonnegative(), url: z.url() })),
}).openapi("Build");
export type ApiBuild = z.output<typeof ApiBuild>;

export const Builds = z
  .object({
    builds: z.array(ApiBuildBrief),
    next: number.nullable().meta({ description: "The `before` that gives the older ones; null at the end." }),
  })
  .openapi("Builds");

export const Projects = z
  .object({
    projects: z.array(
      z.object({
        name: z.string(),
        repository: z.string(),
        branch: z.string(),
        url: z.url(),
        latest: z.union([ApiBuildBrief, z.null()]),
      }),
    ),
  })
  .openapi("Projects");

export const Tests = z
  .object({
    tests: z.array(TestCase.extend({ step: z.string() })),
    next: z.int().nullable().meta({ description: "The `after` that gives the further ones; null at the end." }),
  })
  .openapi("Tests");

const inLine = ApiBuildBrief.extend({
  endsInMs: ms.optional().meta({ description: "Missing where no earlier build tells." }),
});
export const WaitsFor = z
  .discriminatedUnion("kind", [
    z.object({
      kind: z.literal("paused"),
      project: z.string().optional().meta({ description: "Missing where everything is." }),
      by: z.string(),
      since: at,
    }),
    z.object({ kind: z.literal("project"), number, max: z.int().positive() }),
    z.object({ kind: z.literal("group"), number, group: z.string() }),
    z.object({ kind: z.literal("held"), worker: z.string(), reason: z.string() }),
    z.object({ kind: z.literal("worker"), labels: z.array(z.string()) }),
  ])
  .meta({
    description:
      "What holds it besides the slots: a pause; `max` builds of its project, of which that one ends first; its group, of which that one runs; a worker with these labels; or that every worker takes nothing just now, for that reason.",
  });
export type WaitsFor = z.output<typeof WaitsFor>;

export const Queue = z
  .object({
    slots: z.int().nonnegative().meta({ description: "Builds at a time, of all workers that are up." }),
    running: z.array(inLine),
    queued: z.array(
      inLine.extend({
        before: z.int().nonnegative().meta({ description: "How many that wait begin before it." }),
        beginsInMs: ms.optional(),
        waitsFor: WaitsFor.optional(),
      }),
    ),
  })
  .openapi("Queue");

export const Workers = z
  .object({
    workers: z.array(
      z.object({
        name: z.string(),
        engine: z.string(),
        slots: z.int(),
        active: z.array(number),
        seenAt: at,
        version: z.string(),
        labels: z.array(z.string()).meta({ description: "What it has for builds that ask." }),
        draining: z.boolean().meta({ description: "It takes no more builds until somebody says otherwise." }),
        refused: z.string().optional().meta({ description: "Why it may take none; missing where it may." }),
      }),
    ),
  })
  .openapi("Workers");

export const Outbox = z.object({ rooms: z.array(OutboxRoomState), dropped: z.array(Dropped) }).openapi("Outbox");

export const ApiRelease = z
  .object({
    number,
    name: z.string().meta({ description: "As people say it: R7." }),
    url: z.url().meta({ description: "Its page." }),
    origin: z.enum(["person", "nightly"]),
    kind: ReleasePlan.shape.kind,
    project: z.string(),
    version: z.string(),
    ref: z.string(),
    sha: z.string(),
    title: z.string(),
    author: z.string(),
    state: z.enum(ReleaseState.options.map((option) => option.shape.kind.value)),
    step: PublishStep.optional().meta({ description: "The one at work, or that failed." }),
    reason: z.string().optional(),
    by: z.string().optional().meta({ description: "Who rejected it." }),
    requestedAt: at,
    requestedBy: z.object({ name: z.string(), network: z.string() }),
    expiresAt: at.optional(),
    startedAt: at.optional(),
    finishedAt: at.optional(),
    approvals: z.object({
      needed: z.int().nonnegative(),
      given: z.array(z.object({ by: z.string(), network: z.string(), at })),
      mayApprove: z.array(z.string()),
    }),
    target: z.string(),
    key: z.string().optional().meta({ description: "The fingerprint." }),
    previous: z.string().optional().meta({ description: "What was the latest when it was asked for." }),
    commits: ReleasePlan.shape.commits,
    commitsCut: z.boolean(),
    commitsSince: z.string().optional(),
    newestBuild: ReleasePlan.shape.build,
    build: number.optional().meta({ description: "The one that is published." }),
    files: z.int().optional(),
    bytes: z.int().optional(),
    sha256: z.string().optional().meta({ description: "Of the manifest." }),
    forced: z.boolean(),
    skipTests: z.boolean().optional().meta({ description: "Its build's tests do not decide." }),
    noLatest: z.boolean().optional().meta({ description: "Published without becoming the latest." }),
    smokeTest: z
      .array(z.string())
      .optional()
      .meta({ description: "The steps that its files are tried with before they are uploaded." }),
    pointers: z.array(z.string()).optional().meta({ description: "Templates of the keys that follow `latest`." }),
    lines: z
      .array(z.string())
      .optional()
      .meta({ description: "The last that was printed by a smoke test that failed." }),
    warnings: z.array(z.string()),
    latestBefore: z.string().optional(),
  })
  .openapi("Release");
export type ApiRelease = z.output<typeof ApiRelease>;

export const Releases = z
  .object({
    releases: z.array(ApiRelease),
    next: number.nullable().meta({ description: "The `before` that gives the older ones; null at the end." }),
  })
  .openapi("Releases");

export const Cancelled = z
  .object({
    outcome: z.enum(["cancelled", "stopping"]).meta({ description: "Done, or passed on to the worker that runs it." }),
    build: ApiBuild,
  })
  .openapi("Cancelled");
