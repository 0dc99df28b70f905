/** Runs a pipeline over a tree on an engine, step after step. It knows no queue, no chat and no record. */
import type { StepResult } from "../builds/build.ts";
import type { Project } from "../config.ts";
import { RuntimeError } from "../errors.ts";
import type { StepName } from "../names.ts";
import type { ContainerRuntime, ContainerSpec } from "../runtime.ts";
import { formatDuration } from "../units.ts";
import { buildContext } from "./context.ts";
import { imageTag } from "./image-tag.ts";
import { runContainer, type StepLog } from "./run-step.ts";
import type { BuildStep, Pipeline, RunStep, Step } from "./schema.ts";

export interface PipelineRun {
  readonly pipeline: Pipeline;
  readonly tarFile: string;
  /** Unique for the build: part of the names of its images, containers and network. */
  readonly id: string;
  /** Carried by containers and networks, and enough to find them all again. */
  readonly labels: Readonly<Record<string, string>>;
  /**
   * Carried by images. The same for every build of the project: a label that changes is a step that no cache has, which costs
   * the classic builder a container and a layer each time. Whose an image is says its tag.
   */
  readonly imageLabels: Readonly<Record<string, string>>;
  /** Counted from 1. */
  readonly attempt: number;
  readonly project: Pick<Project, "name" | "env" | "privileged" | "network" | "builder" | "limits">;
  /** Environment of every run step, before the project's and the step's own. */
  readonly env: Readonly<Record<string, string>>;
  /** When the whole build must be over, as `Date.now()` counts. */
  readonly deadlineAt: number;
  /** Results of an earlier attempt: those steps are not run again. */
  readonly done: readonly StepResult[];
  /** Only these run steps; undefined for all. */
  readonly onlySteps: readonly StepName[] | undefined;
}

export interface PipelineProgress {
  started(step: Step, index: number, count: number): Promise<void>;
  ended(results: readonly StepResult[]): Promise<void>;
}

/**
 * @returns the results of all steps, those that were not reached as `skipped`.
 * @throws RuntimeError when the machinery broke (its steps so far were reported to `progress`), or the signal's reason.
 */
export async function runPipeline(
  runtime: ContainerRuntime,
  run: PipelineRun,
  log: StepLog,
  progress: PipelineProgress,
  signal: AbortSignal,
): Promise<readonly StepResult[]> {
  const results: StepResult[] = [...run.done];
  const images = new Map(
    results.flatMap((result) => (result.image === undefined ? [] : [[result.name, result.image]])),
  );
  // Made while images are built; the first step that runs in it waits for it, and hears why there is none.
  const network = ensureNetwork(runtime, run);
  // Until then a failure is nobody's.
  network.catch(() => undefined);
  try {
    return await runSteps(runtime, run, { images, results, network, log, signal }, progress);
  } finally {
    // Whoever removes what is left must not come before it.
    await network.catch(() => undefined);
  }
}

interface RunScene {
  /** By the names of their steps. */
  readonly images: Map<string, string>;
  readonly results: StepResult[];
  readonly network: Promise<string>;
  readonly log: StepLog;
  readonly signal: AbortSignal;
}

async function runSteps(
  runtime: ContainerRuntime,
  run: PipelineRun,
  { images, results, ...scene }: RunScene,
  progress: PipelineProgress,
): Promise<readonly StepResult[]> {
  const { log, signal } = scene;
  const count = run.pipeline.steps.length;
  let broken = results.some((result) => result.state === "failed" && result.allowed !== true);

  for (const [index, step] of run.pipeline.steps.entries()) {
    if (results.some((result) => result.name === step.name)) continue;
    const left = step.kind === "run" && run.onlySteps !== undefined && !run.onlySteps.includes(step.name);
    if (broken || left) {
      results.push({ name: step.name, kind: step.kind, state: "skipped", durationMs: 0 });
      continue;
    }
    signal.throwIfAborted();
    await progress.started(step, index + 1, count);
    const startedAt = Date.now();
    const ended = await runStep(runtime, run, step, { ...scene, images, place: `${index + 1} of ${count}` });
    const result: StepResult = {
      name: step.name,
      kind: step.kind,
      startedAt: new Date(startedAt).toISOString(),
      durationMs: Date.now() - startedAt,
      ...ended,
      ...(ended.state === "failed" && step.allowFailure ? { allowed: true } : {}),
    };
    if (result.image !== undefined) images.set(step.name, result.image);
    broken = result.state === "failed" && result.allowed !== true;
    results.push(result);
    const meaning = result.meaning === undefined ? "" : `: ${result.meaning}`;
    const allowed = result.allowed === true ? " (allowed to fail)" : "";
    await log.line(`── step ${step.name} ${result.state} in ${formatDuration(result.durationMs)}${meaning}${allowed}`);
    await progress.ended(results);
  }
  await progress.ended(results);
  return results;
}

interface StepScene extends Pick<RunScene, "network" | "log" | "signal"> {
  readonly images: ReadonlyMap<string, string>;
  /** `2 of 3` */
  readonly place: string;
}

type StepEnd = Pick<StepResult, "state"> & Partial<Pick<StepResult, "exitCode" | "meaning" | "image">>;

async function runStep(runtime: ContainerRuntime, run: PipelineRun, step: Step, scene: StepScene): Promise<StepEnd> {
  return step.kind === "build" ? buildStep(runtime, run, step, scene) : runInContainer(runtime, run, step, scene);
}

async function buildStep(
  runtime: ContainerRuntime,
  run: PipelineRun,
  step: BuildStep,
  { images, log, signal, place }: StepScene,
): Promise<StepEnd> {
  const dockerfile = step.dockerfile === "Dockerfile" ? "" : ` -f ${step.dockerfile}`;
  await log.line(`── step ${place}: ${step.name} · ${time()} · docker build${dockerfile} ${step.context}`);
  const context = await buildContext(run.tarFile, step, images);
  if ("missing" in context) return { state: "failed", meaning: context.missing };
  const limit = stepDeadline(run, step.timeoutMs);
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), Math.max(0, limit.at - Date.now()));
  const tag = imageTag(run.project.name, run.id, step.name);
  try {
    const built = await runtime.buildImage({
      context: context.stream,
      dockerfile: context.dockerfile,
      tag,
      args: step.args,
      target: step.target,
      labels: run.imageLabels,
      builder: run.project.builder,
      network: run.project.network,
      limits: run.project.limits,
      signal: AbortSignal.any([signal, late.signal]),
      onOutput: (text) => log.write(Buffer.from(text), { step: step.name, output: { stdout: 0, stderr: 0 } }),
    });
    if (built.kind === "built") return { state: "passed", image: tag };
    return {
      state: "failed",
      meaning: built.message,
      ...(built.exitCode === undefined ? {} : { exitCode: built.exitCode }),
    };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (!late.signal.aborted) throw error;
    return { state: "failed", meaning: `time limit ${formatDuration(limit.limitMs)} of the ${limit.whole} passed` };
  } finally {
    clearTimeout(timer);
    context.stream.destroy();
  }
}

async function runInContainer(
  runtime: ContainerRuntime,
  run: PipelineRun,
  step: RunStep,
  { images, network, log, signal, place }: StepScene,
): Promise<StepEnd> {
  const image = step.image.kind === "step" ? images.get(step.image.step) : step.image.reference;
  if (image === undefined) {
    return {
      state: "failed",
      meaning: `no image to run in: step ${step.image.kind === "step" ? step.image.step : ""} built none`,
    };
  }
  const resumed = run.attempt > 1 && log.position.step === step.name;
  if (!resumed) {
    await log.line(
      `── step ${place}: ${step.name} · ${time()} · in ${step.image.kind === "step" ? step.image.step : image}`,
    );
    for (const text of step.script?.split("\n") ?? []) await log.line(`$ ${text}`);
  }
  if (step.image.kind === "reference") await ensureImage(runtime, image, log, signal);

  const identity = { ...run.labels, "docker-ci.step": step.name };
  const spec: ContainerSpec = {
    name: `docker-ci-${run.id}-${step.name}`,
    image,
    command: step.script === undefined ? undefined : ["/bin/sh", "-e", "-c", step.script],
    env: { ...run.env, ...run.project.env, ...step.env },
    labels: { ...identity, "docker-ci.attempt": String(run.attempt) },
    limits: run.project.limits,
    network: await network,
    privileged: run.project.privileged,
    mounts: [],
    folders: ["/data"],
  };
  const deadline = stepDeadline(run, step.timeoutMs);
  const end = await runContainer(
    runtime,
    { step: step.name, spec, identity, limits: run.project.limits, deadline, resumed: run.attempt > 1 },
    log,
    signal,
  );
  // Its container goes with the build's leftovers, after the result was told: an engine takes some 70 ms for it.
  if (end.kind === "passed") return { state: "passed", exitCode: 0 };
  return { state: "failed", exitCode: end.exit.exitCode, meaning: end.meaning };
}

async function ensureImage(runtime: ContainerRuntime, image: string, log: StepLog, signal: AbortSignal): Promise<void> {
  if ((await runtime.imageId(image)) !== undefined) return;
  await log.line(`── pulling ${image}`);
  await runtime.pullImage(image, signal);
}

async function ensureNetwork(runtime: ContainerRuntime, run: PipelineRun): Promise<string> {
  if (run.project.network === "none") return "none";
  const name = `docker-ci-${run.id}`;
  await runtime.createNetwork(name, run.labels, false);
  return name;
}

/** The nearer of the step's own limit and the build's. */
function stepDeadline(
  run: PipelineRun,
  timeoutMs: number | undefined,
): { at: number; limitMs: number; whole: "step" | "build" } {
  const own = timeoutMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + timeoutMs;
  return own < run.deadlineAt
    ? { at: own, limitMs: timeoutMs ?? 0, whole: "step" }
    : { at: run.deadlineAt, limitMs: run.project.limits.timeMs, whole: "build" };
}

function time(): string {
  return `${new Date().toISOString().slice(11, 19)} UTC`;
}

/** The first step that makes the build fail, if one does. */
export function failedStep(results: readonly StepResult[]): StepResult | undefined {
  return results.find((result) => result.state === "failed" && result.allowed !== true);
}

/** Removes what a build left on an engine: containers first, then its networks. Images stay, as the next build's cache. */
export async function removeLeftovers(
  runtime: ContainerRuntime,
  labels: Readonly<Record<string, string>>,
): Promise<void> {
  for (const { container } of await runtime.find(labels)) await container.remove();
  for (const { name } of await runtime.findNetworks(labels)) await runtime.removeNetwork(name);
}

/** The sentence of a RuntimeError for people; anything else is our own mistake, and its words are for the log. */
export function machineryReason(error: unknown): string {
  return error instanceof RuntimeError ? error.message : "a fault in docker-ci itself; its log has the details";
}
