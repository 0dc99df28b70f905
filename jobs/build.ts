/** The job that runs a build: takes the record, fetches the revision, runs its pipeline, writes down and announces how it ended. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { type Build, type FinalState, isFinished } from "../src/builds/build.ts";
import { BuildAtWork, Overtaken } from "../src/builds/build-at-work.ts";
import { BuildLog } from "../src/builds/build-log.ts";
import { unknownRef } from "../src/builds/builds.ts";
import { buildUrl, quotedTitle, revisionName } from "../src/builds/describe.ts";
import { buildLabels, imageLabels, sweepLeftovers, tidyUp, type Workshop, workFolder } from "../src/builds/tidy.ts";
import { type Clock, systemClock } from "../src/clock.ts";
import type { Project } from "../src/config.ts";
import { ConfigError, describeError, RuntimeError } from "../src/errors.ts";
import type { BuildNumber } from "../src/names.ts";
import { choosePipeline } from "../src/pipeline/choose.ts";
import { planBuild } from "../src/pipeline/plan.ts";
import { failedStep, machineryReason, runPipeline } from "../src/pipeline/run.ts";
import { PIPELINE_FILE } from "../src/pipeline/schema.ts";
import { Cancelled, HandedOver } from "../src/pipeline/stop.ts";
import { storeTree } from "../src/pipeline/tree.ts";
import type { JobOutcome } from "../src/queue/build-queue.ts";
import { type Revision, UnknownRefError } from "../src/revisions.ts";
import { formatDuration } from "../src/units.ts";
import type { BuildRunner, WorkerParts } from "../src/worker.ts";

/** What the machinery breaks is tried once more. */
const MACHINERY_TRIES = 2;
const RETRY_DELAY_MS = 2_000;
/** A build whose worker died this often takes its worker down with it. */
const ATTEMPTS_MAX = 10;

type Scene = WorkerParts & Workshop & { readonly clock: Clock };

/** The revision itself cannot be built: a result, with one phrase that says why. */
class Unbuildable extends Error {
  override readonly name = "Unbuildable";
}

/** Runs builds to their end, or as far as this process lives; never throws for what a build may do. */
export function createBuildRunner(parts: WorkerParts): BuildRunner {
  const scene: Scene = { ...parts, runtime: parts.engine.runtime, clock: systemClock };
  const tidying = new Set<Promise<void>>();
  return {
    async run(number, lost) {
      const outcome = await runBuild(scene, number, lost);
      const tidy = tidyUp(scene, number)
        .catch((error: unknown) =>
          parts.log.warn({ err: error, build: number }, "could not tidy up; the next start does"),
        )
        .finally(() => tidying.delete(tidy));
      tidying.add(tidy);
      return outcome;
    },
    sweep: () => sweepLeftovers(scene),
    async settled() {
      await Promise.all(tidying);
    },
  };
}

async function runBuild(scene: Scene, number: BuildNumber, lost: AbortSignal): Promise<JobOutcome> {
  const { store, cancellations, clock } = scene;
  const log = scene.log.child({ build: number });
  const found = await store.get(number);
  if (found === undefined || isFinished(found)) return "done";
  const watch = await cancellations.watch(number);
  const signal = AbortSignal.any([watch.signal, lost]);
  const record = new BuildAtWork(scene, found, log);
  try {
    if (signal.aborted && signal.reason instanceof HandedOver) return "give-back";
    if (found.attempt >= ATTEMPTS_MAX) {
      const reason = `its worker was lost ${found.attempt} times`;
      await record.finish({ kind: "errored", finishedAt: clock.now().toISOString(), reason, tries: found.attempt });
      return "done";
    }
    await record.begin();
    await attempt(scene, record, signal, log);
    return "done";
  } catch (error) {
    if (error instanceof HandedOver) return "give-back";
    if (error instanceof Overtaken || lost.aborted) {
      log.warn({ reason: describeError(error) }, "another worker has this build");
      return "done";
    }
    throw error;
  } finally {
    watch.end();
  }
}

async function attempt(scene: Scene, record: BuildAtWork, signal: AbortSignal, log: Logger): Promise<void> {
  const { build } = record;
  const { config, clock } = scene;
  const project = config.projects.get(build.project);
  const buildLog = await BuildLog.open({
    folder: join(config.dataDir, "docker-ci", "logs"),
    number: build.number,
    limitBytes: project?.limits.logBytes ?? 1024 ** 3,
    publish: scene.live(build.number),
  });
  try {
    await buildLog.line(
      build.attempt === 1 ? header(build) : `── attempt ${build.attempt}: going on after the worker was lost`,
    );
    const ended =
      project === undefined
        ? ({ kind: "errored", reason: `the project ${build.project} is not configured any more`, tries: 1 } as const)
        : await tryTwice(scene, project, record, buildLog, signal, log);
    const finishedAt = clock.now().toISOString();
    const state: FinalState = { ...ended, startedAt: record.startedAt, finishedAt };
    await buildLog.line(`── ${footer(state)}`);
    // First the whole log, then the news that points at it.
    await buildLog.close();
    await record.finish(state);
  } catch (error) {
    await buildLog.suspend().catch((fault: unknown) => log.warn({ err: fault }, "the log could not be put aside"));
    throw error;
  }
}

type Ended =
  | { readonly kind: "passed" }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "errored"; readonly reason: string; readonly tries: number }
  | { readonly kind: "cancelled"; readonly by: string; readonly reason?: string };

/** @throws HandedOver, Overtaken, or what made the log or the record unusable. */
async function tryTwice(
  scene: Scene,
  project: Project,
  record: BuildAtWork,
  buildLog: BuildLog,
  signal: AbortSignal,
  log: Logger,
): Promise<Ended> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await runOnce(scene, project, record, buildLog, signal, tries);
    } catch (thrown) {
      const error = signal.aborted ? signal.reason : thrown;
      if (error instanceof Cancelled) {
        return { kind: "cancelled", by: error.by, ...(error.reason === undefined ? {} : { reason: error.reason }) };
      }
      if (error instanceof HandedOver || error instanceof Overtaken || signal.aborted) throw error;
      if (error instanceof Unbuildable) return { kind: "failed", reason: error.message };
      log.error({ err: error, tries }, "the machinery broke under a build");
      await buildLog.line(`── could not go on: ${describeError(error)}`);
      const hopeless = error instanceof RuntimeError && !error.retryable;
      if (tries >= MACHINERY_TRIES || hopeless) return { kind: "errored", reason: machineryReason(error), tries };
      await buildLog.line(`── trying once more in ${formatDuration(RETRY_DELAY_MS)}`);
      await sleep(RETRY_DELAY_MS, undefined, { signal }).catch(() => undefined /* the next round sees the abort */);
    }
  }
}

async function runOnce(
  scene: Scene,
  project: Project,
  record: BuildAtWork,
  buildLog: BuildLog,
  signal: AbortSignal,
  tries: number,
): Promise<Ended> {
  signal.throwIfAborted();
  const { config, runtime } = scene;
  const { revisions } = scene.engine;
  const revision = record.build.revision ?? (await lookUp(scene, project, record, signal));
  const tarFile = join(workFolder(config, record.build.number), "tree.tar");
  const tree = await storeTree(
    await revisions.pack(project.repo, revision.sha, signal),
    tarFile,
    [PIPELINE_FILE, "Dockerfile"],
    signal,
  );
  const chosen = choose(project, tree.top);
  for (const problem of chosen.problems) await buildLog.line(`── ${problem}`);
  if (chosen.pipeline === undefined) throw new Unbuildable(chosen.reason);

  const { build } = record;
  const results = await runPipeline(
    runtime,
    {
      plan: planBuild(chosen.pipeline, {
        branch: revision.kind === "branch" ? revision.ref : undefined,
        event: build.event ?? "chat",
        onlySteps: build.onlySteps,
      }),
      tarFile,
      id: `${scene.instance}-${build.number}`,
      labels: buildLabels(scene.instance, build),
      imageLabels: imageLabels(scene.instance, build.project),
      attempt: build.attempt + tries - 1,
      project,
      env: environment(build, revision, config.url),
      secrets: {},
      mask: undefined,
      cache: undefined,
      deadlineAt: Date.parse(record.startedAt) + project.limits.timeMs,
      done: build.steps,
    },
    buildLog,
    {
      started: ({ step }, index, count) => record.step({ name: step.name, index, count }),
      ended: (steps) => record.steps(steps),
    },
    signal,
  );
  const failed = failedStep(results);
  return failed === undefined
    ? { kind: "passed" }
    : { kind: "failed", reason: `step ${failed.name}, ${failed.meaning ?? "failed"}` };
}

async function lookUp(
  { engine: { revisions }, config }: Scene,
  project: Project,
  record: BuildAtWork,
  signal: AbortSignal,
): Promise<Revision> {
  try {
    const revision = await revisions.resolve(project.repo, record.build.ref, signal);
    await record.revision(revision);
    return revision;
  } catch (error) {
    if (error instanceof UnknownRefError)
      throw new Unbuildable(unknownRef(project, error, config.url), { cause: error });
    throw error;
  }
}

function choose(project: Project, top: ReadonlyMap<string, string>): ReturnType<typeof choosePipeline> {
  try {
    return choosePipeline(project.pipeline, top);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const more = error.problems.length > 1 ? ` (and ${error.problems.length - 1} more in the log)` : "";
    return { pipeline: undefined, problems: error.problems, reason: `${error.problems[0] ?? error.message}${more}` };
  }
}

function environment(build: Build, revision: Revision, url: string): Record<string, string> {
  return {
    CI: "true",
    DOCKER_CI_BUILD: String(build.number),
    DOCKER_CI_PROJECT: build.project,
    DOCKER_CI_REVISION: revision.sha,
    DOCKER_CI_BRANCH: revision.kind === "branch" ? revision.ref : "",
    DOCKER_CI_PR: "",
    DOCKER_CI_URL: buildUrl(url, build.number),
    ...build.params,
  };
}

function header(build: Build): string {
  const by = build.revision === undefined ? "" : ` by ${build.revision.author}`;
  const again = build.rebuildOf === undefined ? "" : ` · again what #${build.rebuildOf} was`;
  return `── ${build.project} #${build.number} · ${revisionName(build)}${quotedTitle(build.revision)}${by} · asked by ${build.requester.name} on ${build.requester.network}${again} · ${build.requestedAt}`;
}

function footer(state: FinalState): string {
  const took =
    state.startedAt === undefined
      ? ""
      : ` in ${formatDuration(Date.parse(state.finishedAt) - Date.parse(state.startedAt))}`;
  const reason = "reason" in state && state.reason !== undefined ? `: ${state.reason}` : "";
  return `${state.kind}${took}${reason} · ${state.finishedAt}`;
}
