/** The job that runs a build: takes the record, fetches the revision, runs its pipeline, writes down and announces how it ended. */
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { countFlaky, coverageBefore, drawCoveragePages, resultsOf } from "../src/builds/after-build.ts";
import { type Build, beganElsewhere, type FinalState, isFinished } from "../src/builds/build.ts";
import { BuildAtWork, Overtaken } from "../src/builds/build-at-work.ts";
import { BuildLog } from "../src/builds/build-log.ts";
import { choosePlan } from "../src/builds/chosen-plan.ts";
import { quotedTitle, revisionName } from "../src/builds/describe.ts";
import { inputsOf, maskOf } from "../src/builds/inputs.ts";
import { keptWords } from "../src/builds/kept-words.ts";
import { keepWorkspaces, removeExpiredWorkspaces } from "../src/builds/kept-workspaces.ts";
import { watchLeftovers } from "../src/builds/leftovers.ts";
import { logsFolder } from "../src/builds/log-files.ts";
import { anewWords, endWords, headWords } from "../src/builds/log-words.ts";
import { coverageFolder, runOfBuild } from "../src/builds/pipeline-of-build.ts";
import { lookUp, pullRequestName, unknownRef } from "../src/builds/pull-request.ts";
import { clearAttempt, clearKept, leaveToOther } from "../src/builds/take-over.ts";
import { tidyUp, treeFile, type Workshop } from "../src/builds/tidy.ts";
import { type Clock, systemClock } from "../src/clock.ts";
import type { Project } from "../src/config.ts";
import { SupersededError } from "../src/delivery/depot.ts";
import { describeError, RuntimeError } from "../src/errors.ts";
import type { BuildNumber } from "../src/names.ts";
import { type Plan, stepLabel } from "../src/pipeline/plan.ts";
import { recordPlan } from "../src/pipeline/plan-record.ts";
import { failedStep, machineryReason, runPipeline } from "../src/pipeline/run.ts";
import { PIPELINE_FILE } from "../src/pipeline/schema.ts";
import { Cancelled, HandedOver } from "../src/pipeline/stop.ts";
import { storeTree } from "../src/pipeline/tree.ts";
import type { JobOutcome } from "../src/queue/build-queue.ts";
import { isRedisAway } from "../src/queue/redis.ts";
import { missingLabels } from "../src/queue/worker-status.ts";
import { nameCoverage } from "../src/results/coverage-names.ts";
import { MergeConflictError, type Revision, UnknownRefError } from "../src/revisions.ts";
import { formatDuration } from "../src/units.ts";
import type { BuildRunner, WorkerParts } from "../src/worker.ts";

/** What the machinery breaks is tried once more. */
const MACHINERY_TRIES = 2;
const RETRY_DELAY_MS = 2_000;
/** A build whose worker died this often takes its worker down with it. */
const ATTEMPTS_MAX = 10;

/** How long the pages of coverage of one build may take. */
const DRAW_TIMEOUT_MS = 120_000;

type Scene = WorkerParts & Workshop & { readonly clock: Clock };

/** The revision itself cannot be built: a result, with one phrase that says why. */
class Unbuildable extends Error {
  override readonly name = "Unbuildable";
}

/** The pipeline asks for a worker that has more than this one. */
class Unfit extends Error {
  override readonly name = "Unfit";
  readonly labels: readonly string[];

  constructor(labels: readonly string[]) {
    super(`asks for a worker with ${labels.join(" and ")}`);
    this.labels = labels;
  }
}

/** So many files in conflict are told in the reason; the record has more of them. */
const CONFLICTS_TOLD = 5;

/** A pull request that cannot be merged: the same, with the files. */
class Unmergeable extends Unbuildable {
  readonly conflicts: readonly string[];

  constructor(pullRequest: string, into: string, cause: MergeConflictError) {
    const { files } = cause;
    const told = files.slice(0, CONFLICTS_TOLD).join(", ");
    const more = files.length > CONFLICTS_TOLD ? ` and ${files.length - CONFLICTS_TOLD} more` : "";
    const reason =
      files.length === 0 ? `has no history in common with ${into}` : `conflicts with ${into} in ${told}${more}`;
    super(`${pullRequest} ${reason}`, { cause });
    this.conflicts = files;
  }
}

/** Runs builds to their end, or as far as this process lives; never throws for what a build may do. */
export function createBuildRunner(parts: WorkerParts): BuildRunner {
  const scene: Scene = { ...parts, runtime: parts.engine.runtime, clock: systemClock };
  const leftovers = watchLeftovers(scene);
  const tidying = new Set<Promise<void>>();
  return {
    async run(number, lost) {
      const release = await leftovers.hold(number);
      const letGo = (): void => {
        release();
        parts.delivery?.letGo(number);
      };
      const outcome = await runBuild(scene, number, lost).catch((error: unknown) => {
        letGo();
        throw error;
      });
      const tidy = drawCoveragePages(scene, number, AbortSignal.timeout(DRAW_TIMEOUT_MS))
        .then(() => bringTheRest(scene, number))
        .then(() => tidyUp(scene, number))
        .catch((error: unknown) =>
          parts.log.warn({ err: error, build: number }, "could not tidy up; a later look does"),
        )
        .finally(() => {
          letGo();
          tidying.delete(tidy);
        });
      tidying.add(tidy);
      return outcome;
    },
    async sweep() {
      await leftovers.sweep();
      await removeExpiredWorkspaces(scene);
    },
    async settled() {
      await Promise.all(tidying);
    },
  };
}

/** The pages of coverage are drawn when the end was told. */
async function bringTheRest({ delivery, store, instance }: Scene, number: BuildNumber): Promise<void> {
  const build = delivery === undefined ? undefined : await store.get(number);
  if (build !== undefined && isFinished(build) && build.ranOn?.instance === instance) await delivery?.settle(build);
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
    const anew = beganElsewhere(found, scene.instance);
    if (anew) await clearAttempt(scene, found);
    await record.begin();
    if (anew) await clearKept(scene, found);
    await attempt(scene, record, anew ? found : undefined, signal, log);
    return "done";
  } catch (error) {
    if (error instanceof HandedOver) return "give-back";
    if (error instanceof Unfit) {
      await record.passOn(error.labels);
      await clearAttempt(scene, found);
      log.info({ labels: error.labels }, "build passed on to another worker");
      return { passOn: record.build };
    }
    if (error instanceof Overtaken || error instanceof SupersededError || lost.aborted) {
      log.warn({ reason: describeError(error) }, "another worker has this build");
      if (await leaveToOther(scene, number)) await scene.delivery?.forget(found);
      return "done";
    }
    throw error;
  } finally {
    watch.end();
  }
}

/** @param before the record as another worker left it, where it is begun anew. */
async function attempt(
  scene: Scene,
  record: BuildAtWork,
  before: Build | undefined,
  signal: AbortSignal,
  log: Logger,
): Promise<void> {
  const { build } = record;
  const { config, clock } = scene;
  const project = config.projects.get(build.project);
  const buildLog = await BuildLog.open({
    folder: logsFolder(config),
    number: build.number,
    limitBytes: project?.limits.logBytes ?? 1024 ** 3,
    publish: scene.live(build.number),
  });
  try {
    // An attempt whose worker died at once may have left no line at all.
    if (buildLog.totalBytes === 0) await buildLog.line(headWords(build));
    if (before !== undefined)
      await buildLog.line(`── attempt ${build.attempt}: ${anewWords(before, config.workerName)}`);
    else if (build.attempt > 1) {
      await buildLog.line(`── attempt ${build.attempt}: going on after the worker was lost`);
    }
    const ended =
      project === undefined
        ? ({ kind: "errored", reason: `the project ${build.project} is not configured any more`, tries: 1 } as const)
        : await tryTwice(scene, project, record, buildLog, signal, log);
    const kept = project && ended.kind === "failed" ? await keepWorkspaces(scene, record.build, project) : undefined;
    for (const words of keptWords(record.build, kept)) await buildLog.line(`── ${words}`);
    const finishedAt = clock.now().toISOString();
    const state: FinalState = { ...ended, startedAt: record.startedAt, finishedAt };
    await buildLog.line(`── ${endWords(state)}`);
    // First the whole log, then the news that points at it.
    await buildLog.close();
    const concluded = project && (await resultsOf(scene, { build: record.build, state, project }));
    const results = kept === undefined ? concluded : { ...concluded, kept };
    const undelivered = await scene.delivery?.deliver(record.build, unlessCancelled(signal));
    await record.finish(state, undelivered === undefined ? results : { ...results, undelivered });
    await countFlaky(scene, record.build);
  } catch (error) {
    await buildLog.suspend().catch((fault: unknown) => log.warn({ err: fault }, "the log could not be put aside"));
    throw error;
  }
}

/** What a build that was cancelled left behind is brought to the bot all the same. */
function unlessCancelled(signal: AbortSignal): AbortSignal {
  const controller = new AbortController();
  const pass = (): void => {
    if (!(signal.reason instanceof Cancelled)) controller.abort(signal.reason);
  };
  if (signal.aborted) pass();
  else signal.addEventListener("abort", pass, { once: true });
  return controller.signal;
}

type Ended =
  | { readonly kind: "passed" }
  | { readonly kind: "failed"; readonly reason: string; readonly conflicts?: string[] }
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
  let tries = 1;
  let isRedisMissed = false;
  for (;;) {
    try {
      return await runOnce(scene, project, record, buildLog, signal, tries);
    } catch (thrown) {
      const error = signal.aborted ? signal.reason : thrown;
      if (error instanceof Cancelled) {
        return { kind: "cancelled", by: error.by, ...(error.reason === undefined ? {} : { reason: error.reason }) };
      }
      if (error instanceof HandedOver || error instanceof Overtaken || error instanceof Unfit || signal.aborted) {
        throw error;
      }
      if (error instanceof Unmergeable)
        return { kind: "failed", reason: error.message, conflicts: [...error.conflicts] };
      if (error instanceof Unbuildable) return { kind: "failed", reason: error.message };
      if (isRedisAway(error)) {
        // No try is lost by that: what was begun is gone on with. Whether another worker has the build, the signal tells.
        log.warn({ reason: describeError(error) }, "a build waits for Redis");
        if (!isRedisMissed) await buildLog.line("── Redis does not answer; going on when it does");
        isRedisMissed = true;
        await pause(signal);
        continue;
      }
      log.error({ err: error, tries }, "the machinery broke under a build");
      const mask = maskOf(project);
      await buildLog.line(`── could not go on: ${mask.text(describeError(error))}`);
      const hopeless = error instanceof RuntimeError && !error.retryable;
      const reason = mask.text(machineryReason(error));
      if (tries >= MACHINERY_TRIES || hopeless) return { kind: "errored", reason, tries };
      await buildLog.line(`── trying once more in ${formatDuration(RETRY_DELAY_MS)}`);
      tries += 1;
      await pause(signal);
    }
  }
}

async function pause(signal: AbortSignal): Promise<void> {
  await sleep(RETRY_DELAY_MS, undefined, { signal }).catch(() => undefined /* the next round sees the abort */);
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
  const { config, runtime, store } = scene;
  const revision = record.build.revision ?? (await lookUpNow(scene, project, record, buildLog, signal));
  const tree = await storeTree(
    await packed(scene, project, revision, signal),
    treeFile(config, record.build.number),
    [PIPELINE_FILE, "Dockerfile"],
    signal,
  );
  const { build } = record;
  const chosen = choosePlan(project, tree.top, build);
  for (const problem of chosen.problems) await buildLog.line(`── ${problem}`);
  if (missingLabels(chosen.labels, scene.labels()).length > 0) throw new Unfit(chosen.labels);
  const { plan } = chosen;
  if (plan === undefined) throw new Unbuildable(chosen.reason);
  const { secrets } = inputsOf(build, revision, project, config.url);
  const given = { projectEnv: Object.keys(project.env), secrets: Object.keys(secrets) };
  await store.setPlan(build.number, recordPlan(plan, given));

  const { run, remarks, announced } = await runOfBuild(scene, {
    build,
    revision,
    project,
    plan,
    tree,
    attempt: build.attempt + tries - 1,
    deadlineAt: Date.parse(record.startedAt) + project.limits.timeMs,
    coverageBefore: measuresDrop(plan) ? await coverageBefore(scene, { build, project }, signal) : undefined,
  });
  for (const remark of remarks) await buildLog.line(`── ${remark}`);
  const results = await runPipeline(
    runtime,
    run,
    buildLog,
    {
      started: ({ step }, index, count) => record.step({ name: step.name, index, count }),
      ended: (steps) => record.steps(steps),
    },
    signal,
  );
  await nameCoverage(coverageFolder(config.dataDir), build, announced());
  const failed = failedStep(results);
  return failed === undefined
    ? { kind: "passed" }
    : { kind: "failed", reason: `step ${stepLabel(failed)}, ${failed.meaning ?? "failed"}` };
}

function measuresDrop({ steps }: Plan): boolean {
  return steps.some(({ step }) => step.kind === "run" && step.thresholds.maxDrop !== undefined);
}

/** The tree that is tested; that of a pull request is what it would become. */
async function packed(
  { engine: { revisions } }: Scene,
  { repo }: Project,
  { sha, ref, pullRequest }: Revision,
  signal: AbortSignal,
): Promise<Readable> {
  if (pullRequest === undefined) return await revisions.pack(repo, sha, signal);
  try {
    return await revisions.packMerged(repo, sha, pullRequest.base, signal);
  } catch (error) {
    if (!(error instanceof MergeConflictError)) throw error;
    throw new Unmergeable(pullRequestName(pullRequest.number), ref, error);
  }
}

async function lookUpNow(
  { engine: { revisions }, config }: Scene,
  project: Project,
  record: BuildAtWork,
  buildLog: BuildLog,
  signal: AbortSignal,
): Promise<Revision> {
  try {
    const revision = await lookUp(revisions, project, record.build.ref, signal);
    await record.revision(revision);
    // The log's first line was written before.
    await buildLog.line(`── ${revisionName(record.build)}${quotedTitle(revision)} by ${revision.author}`);
    return revision;
  } catch (error) {
    if (error instanceof UnknownRefError)
      throw new Unbuildable(unknownRef(project, error, config.url), { cause: error });
    throw error;
  }
}
