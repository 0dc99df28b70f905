/** Runs the plan of a build over a tree on an engine, side by side where it allows. It knows no queue, no chat and no record. */
import type { StepResult } from "../builds/build.ts";
import { RuntimeError } from "../errors.ts";
import type { StepId } from "../names.ts";
import type { ContainerRuntime } from "../runtime.ts";
import { formatDuration } from "../units.ts";
import { runBuildStep } from "./build-step.ts";
import { keyOf, runContainerStep } from "./container-step.ts";
import type { PipelineProgress, PipelineRun, StepEnd, StepScene } from "./pipeline-run.ts";
import { type PlannedStep, stepIdOf, stepLabel } from "./plan.ts";
import { resourceWords } from "./resources.ts";
import { nameOf, runInOrder } from "./schedule.ts";
import { type StepLog, StepOutput } from "./step-output.ts";
import { HandedOver } from "./stop.ts";

export type { PipelineProgress, PipelineRun } from "./pipeline-run.ts";

/**
 * @returns the results of all steps, in the order of the plan; those that were left out or not reached are `skipped`.
 * @throws RuntimeError when the machinery broke (its steps so far were reported to `progress`), or the signal's reason. Containers
 * of other steps that were at work then are left running, for the next attempt.
 */
export async function runPipeline(
  runtime: ContainerRuntime,
  run: PipelineRun,
  log: StepLog,
  progress: PipelineProgress,
  signal: AbortSignal,
): Promise<readonly StepResult[]> {
  const { steps, isParallel } = run.plan;
  const done = new Map(run.done.map((result) => [stepIdOf(result), result]));
  const results = new Map(
    steps.flatMap(({ id }): [StepId, StepResult][] => {
      const result = done.get(id);
      return result === undefined ? [] : [[id, result]];
    }),
  );
  const broken = new AbortController();
  let fault: { readonly error: unknown } | undefined;
  const network = needsNetwork(run, results) ? ensureNetwork(runtime, run) : undefined;
  // Made while images are built; the first step that runs in it waits for it, and hears why there is none.
  network?.catch(() => undefined);
  const scene: RunScene = {
    runtime,
    run,
    log,
    progress: oneAtATime(progress),
    results,
    network: () => network ?? ensureNetwork(runtime, run),
    signal: AbortSignal.any([signal, broken.signal]),
  };
  const work = async (planned: PlannedStep): Promise<StepResult> => {
    try {
      return await runPlanned(scene, planned);
    } catch (error) {
      // What the others throw when they are given up for it does not count.
      fault ??= { error };
      broken.abort(new HandedOver());
      throw error;
    }
  };
  try {
    const atOnce = isParallel ? Math.max(AT_ONCE_MIN, (await runtime.info(signal)).cpus) : 1;
    await runInOrder({ steps, atOnce, results, run: work });
    await scene.progress.ended(inPlan(scene));
    return inPlan(scene);
  } catch (error) {
    throw signal.aborted ? signal.reason : (fault?.error ?? error);
  } finally {
    // Whoever removes what is left must not come before it. What it failed with is thrown by the steps that need it.
    await network?.catch(() => undefined);
  }
}

/** Two lanes are worth it on one CPU too: one often waits for a disk or a network. */
const AT_ONCE_MIN = 2;

interface RunScene {
  readonly runtime: ContainerRuntime;
  readonly run: PipelineRun;
  readonly log: StepLog;
  readonly progress: PipelineProgress;
  readonly results: Map<StepId, StepResult>;
  network(): Promise<string>;
  readonly signal: AbortSignal;
}

function inPlan({ run, results }: RunScene): StepResult[] {
  return run.plan.steps.flatMap(({ id }) => results.get(id) ?? []);
}

async function runPlanned(scene: RunScene, planned: PlannedStep): Promise<StepResult> {
  const { run, log, progress, results, signal } = scene;
  signal.throwIfAborted();
  const { id, step } = planned;
  const { steps, isParallel } = run.plan;
  const index = steps.indexOf(planned) + 1;
  await progress.started(planned, index, steps.length);
  const label = stepLabel({ name: step.name, lane: planned.lane });
  const startedAt = Date.now();
  const ended = await runStep(scene, planned, {
    images: imagesOf(scene, planned),
    network: scene.network,
    log,
    signal,
    place: `${index} of ${steps.length}`,
    label,
    lineLabel: isParallel ? label : undefined,
  });
  const result: StepResult = {
    ...nameOf(planned),
    startedAt: new Date(startedAt).toISOString(),
    durationMs: Date.now() - startedAt,
    ...ended,
    ...(ended.meaning === undefined ? {} : { meaning: run.mask?.text(ended.meaning) ?? ended.meaning }),
    ...(ended.state === "failed" && step.allowFailure ? { allowed: true } : {}),
  };
  results.set(id, result);
  const output = new StepOutput(log, { key: id, label: isParallel ? label : undefined, mask: run.mask });
  for (const warning of result.warnings ?? []) await output.line(`── ${warning}`);
  await output.line(`── step ${label} ${endLine(result)}`);
  if (result.resources !== undefined) await output.line(`── at its end: ${resourceWords(result.resources)}`);
  await progress.ended(inPlan(scene));
  // Not before the result is written down: until then the next attempt would have to read on.
  for (const tries of [1, 2]) log.endStep(keyOf(planned, tries));
  return result;
}

function endLine({ state, durationMs, meaning, allowed, quarantined, flaky }: StepResult): string {
  const why = meaning === undefined ? "" : `: ${meaning}`;
  const notes = [
    allowed === true && quarantined !== true ? " (allowed to fail)" : "",
    quarantined === true ? " (only tests in quarantine)" : "",
    flaky === true ? " (flaky: it failed the first time)" : "",
  ];
  return `${state} in ${formatDuration(durationMs)}${why}${notes.join("")}`;
}

async function runStep({ runtime, run }: RunScene, planned: PlannedStep, scene: StepScene): Promise<StepEnd> {
  const { step } = planned;
  return step.kind === "build"
    ? runBuildStep(runtime, run, { ...planned, step }, scene)
    : runContainerStep(runtime, run, { ...planned, step }, scene);
}

/** The images of the same lane, by the names of their steps. */
function imagesOf({ run, results }: RunScene, { id, step }: PlannedStep): ReadonlyMap<string, string> {
  const lane = id.slice(step.name.length);
  return new Map(
    run.plan.steps.flatMap((other): [string, string][] => {
      const image = results.get(other.id)?.image;
      return image === undefined || other.id !== other.step.name + lane ? [] : [[other.step.name, image]];
    }),
  );
}

/** Whether a step is left to run in the build's network; one with services has its own. */
function needsNetwork({ plan, project }: PipelineRun, results: ReadonlyMap<StepId, StepResult>): boolean {
  if (project.network === "none") return false;
  return plan.steps.some(
    ({ id, step, leftOut }) =>
      step.kind === "run" && leftOut === undefined && !results.has(id) && Object.keys(step.services).length === 0,
  );
}

async function ensureNetwork(runtime: ContainerRuntime, run: PipelineRun): Promise<string> {
  if (run.project.network === "none") return "none";
  const name = `docker-ci-${run.id}`;
  await runtime.createNetwork(name, run.labels, false);
  return name;
}

/** A record is changed by one at a time. When one call failed, so do all after it. */
function oneAtATime(progress: PipelineProgress): PipelineProgress {
  let last: Promise<void> = Promise.resolve();
  const next = (task: () => Promise<void>): Promise<void> => {
    last = last.then(task);
    return last;
  };
  return {
    started: (...step) => next(() => progress.started(...step)),
    ended: (results) => next(() => progress.ended(results)),
  };
}

/** The first step that makes the build fail, if one does. */
export function failedStep(results: readonly StepResult[]): StepResult | undefined {
  return results.find((result) => result.state === "failed" && result.allowed !== true);
}

/**
 * Removes what a build left on an engine: containers first, then its networks, and the caches that were for it alone. Images stay,
 * as the next build's cache.
 */
export async function removeLeftovers(
  runtime: ContainerRuntime,
  labels: Readonly<Record<string, string>>,
): Promise<void> {
  for (const { container } of await runtime.find(labels)) await container.remove();
  for (const { name } of await runtime.findNetworks(labels)) await runtime.removeNetwork(name);
  for (const { name } of await runtime.findVolumes(labels)) await runtime.removeVolume(name);
}

/** The sentence of a RuntimeError for people; anything else is our own mistake, and its words are for the log. */
export function machineryReason(error: unknown): string {
  return error instanceof RuntimeError ? error.message : "a fault in docker-ci itself; its log has the details";
}
