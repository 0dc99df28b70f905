/** One `run:` step: its services, its caches, its container, what that leaves behind, and where it is asked for a second try. */
import { NO_FINDINGS, type StepFindings } from "../results/findings.ts";
import type { ContainerRuntime, ContainerSpec } from "../runtime.ts";
import { prepareCaches } from "./caches.ts";
import { afterFirst, collectInTime, resultOf } from "./collecting.ts";
import { clockTime, type PipelineRun, type StepEnd, type StepScene, stepDeadline, stepIdleMs } from "./pipeline-run.ts";
import type { PlannedStep } from "./plan.ts";
import { resourcesNow } from "./resources.ts";
import { type ContainerEnd, findLeft, runContainer, tryLabel } from "./run-step.ts";
import type { RunStep } from "./schema.ts";
import { ensureImages, type OpenServices, openServices } from "./services.ts";
import { StepOutput, type StepOutputOptions } from "./step-output.ts";
import { HandedOver } from "./stop.ts";

type PlannedRun = PlannedStep & { readonly step: RunStep };

/** How one try ended. */
interface Try {
  readonly state: "passed" | "failed";
  readonly exitCode?: number;
  readonly meaning?: string;
  readonly resources?: StepEnd["resources"];
  /** It failed by itself, and may pass when it is run again. */
  readonly isWorthAnother: boolean;
  readonly findings: StepFindings;
}

export async function runContainerStep(
  runtime: ContainerRuntime,
  run: PipelineRun,
  planned: PlannedRun,
  scene: StepScene,
): Promise<StepEnd> {
  const watch = run.watch?.(planned.id);
  const attempt = (tries: 1 | 2): Promise<Try> =>
    tryOnce(runtime, run, planned, scene, { tries, output: openOutput(run, planned, scene, tries, watch) });
  const first = await attempt(1);
  const isExcused = isBorneWith(run, first);
  if (!first.isWorthAnother || planned.step.retryFailed === 0 || isExcused) return ended(first, isExcused);
  // An attempt that takes the second try over finds the first one's container, and comes by here again.
  if (scene.log.positionOf(keyOf(planned, 2)) === undefined) {
    const output = openOutput(run, planned, scene, 1, watch);
    await output.line(`── step ${scene.label} failed: ${first.meaning ?? ""}; running it once more`);
  }
  const second = await attempt(2);
  const last = { ...second, findings: afterFirst(first.findings, second.findings) };
  return { ...ended(last, isBorneWith(run, last)), tries: 2, ...(last.state === "passed" ? { flaky: true } : {}) };
}

function isBorneWith(run: PipelineRun, { isWorthAnother, findings }: Try): boolean {
  return isWorthAnother && run.isExcused?.(findings) === true;
}

function ended({ state, exitCode, meaning, resources, findings }: Try, isExcused: boolean): StepEnd {
  return {
    state,
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(meaning === undefined ? {} : { meaning }),
    ...(resources === undefined ? {} : { resources }),
    ...(isExcused ? { allowed: true, quarantined: true } : {}),
    ...resultOf(findings),
  };
}

/** Names the container of a try in the positions of the log. */
export function keyOf({ id }: PlannedStep, tries: number): string {
  return tries === 1 ? id : `${id}#${tries}`;
}

function openOutput(
  { mask }: PipelineRun,
  planned: PlannedRun,
  { log, lineLabel }: StepScene,
  tries: number,
  watch: StepOutputOptions["watch"],
): StepOutput {
  return new StepOutput(log, { key: keyOf(planned, tries), label: lineLabel, mask, watch });
}

async function tryOnce(
  runtime: ContainerRuntime,
  run: PipelineRun,
  planned: PlannedRun,
  scene: StepScene,
  { tries, output }: { readonly tries: 1 | 2; readonly output: StepOutput },
): Promise<Try> {
  const { step } = planned;
  const { images, log, signal } = scene;
  const image = step.image.kind === "step" ? images.get(step.image.step) : step.image.reference;
  if (image === undefined) {
    const built = step.image.kind === "step" ? step.image.step : "";
    return failedBefore(`no image to run in: step ${built} built none`);
  }
  const isResumed = run.attempt > 1;
  if (!isResumed || log.positionOf(keyOf(planned, tries)) === undefined) {
    await tellStart(output, step, scene, image);
  }
  const say = (text: string): Promise<void> => output.line(text);
  const identity = { ...run.labels, "docker-ci.step": planned.id };
  const adopted = isResumed ? await findLeft(runtime, identity, tries) : undefined;
  // Not on the step's time.
  if (adopted === undefined) await ensureImages(runtime, referencesOf(step), say, signal);
  const deadline = stepDeadline(run, step.timeoutMs);
  // A name of its own for each try; no step's id has a word behind its dot.
  const name = `docker-ci-${run.id}-${planned.id}${tries === 1 ? "" : ".again"}`;
  const services = await servicesOf(
    runtime,
    run,
    planned,
    { name, tries, goOn: adopted !== undefined, readyBy: deadline.at, say },
    signal,
  );
  try {
    const result = await inServices(services, async () => {
      const spec: ContainerSpec = {
        name,
        image,
        command: step.script === undefined ? undefined : ["/bin/sh", "-e", "-c", step.script],
        env: { ...run.env, ...run.project.env, ...run.secrets, ...planned.lane, ...step.env },
        labels: { ...identity, ...tryLabel(tries), "docker-ci.attempt": String(run.attempt) },
        limits: run.project.limits,
        network: services?.network ?? (await scene.network()),
        privileged: run.project.privileged,
        mounts: adopted === undefined && step.cache.length > 0 ? await cachesOf(runtime, run, step, say, signal) : [],
        folders: ["/data"],
      };
      const { limits } = run.project;
      const idleMs = stepIdleMs(run, step);
      const end = await runContainer(runtime, { spec, adopted, limits, deadline, idleMs }, output, signal);
      const { container } = end;
      // Its container goes with the build's leftovers, after the result was told: an engine takes some 70 ms for it.
      return judged(run, planned, end, await collectInTime(run.collect, { planned, container, tries }, signal));
    });
    await services?.close();
    return result;
  } catch (error) {
    // After any other fault the next attempt finds the step's container at work, and needs them.
    if (signal.aborted && !(signal.reason instanceof HandedOver)) await services?.close();
    throw error;
  }
}

/** The images that no step builds. */
function referencesOf({ image, services }: RunStep): string[] {
  const own = image.kind === "reference" ? [image.reference] : [];
  return [...own, ...Object.values(services).map((service) => service.image)];
}

/** Does the work where all services can be used; their last lines are told where it failed, or one of them did. */
async function inServices(services: OpenServices | undefined, work: () => Promise<Try>): Promise<Try> {
  const result = services?.failure === undefined ? await work() : failedBefore(services.failure);
  if (result.state === "failed") await services?.tellLastLines();
  return result;
}

async function tellStart(output: StepOutput, step: RunStep, { place, label }: StepScene, image: string): Promise<void> {
  const where = step.image.kind === "step" ? step.image.step : image;
  await output.line(`── step ${place}: ${label} · ${clockTime()} · in ${where}`);
  for (const text of step.script?.split("\n") ?? []) await output.line(`$ ${text}`);
}

function failedBefore(meaning: string): Try {
  return { state: "failed", meaning, isWorthAnother: false, findings: NO_FINDINGS };
}

function judged(run: PipelineRun, planned: PlannedStep, end: ContainerEnd, findings: StepFindings): Try {
  if (end.kind === "failed") {
    const { exit, meaning, isStopped, usage } = end;
    const resources = resourcesNow(usage, run.project.limits);
    return { state: "failed", exitCode: exit.exitCode, meaning, resources, isWorthAnother: !isStopped, findings };
  }
  const meaning = run.judge?.(planned, findings);
  if (meaning === undefined) return { state: "passed", exitCode: 0, isWorthAnother: false, findings };
  const hasFailingTests = (findings.tests?.failed ?? 0) > 0;
  return { state: "failed", exitCode: 0, meaning, isWorthAnother: hasFailingTests, findings };
}

async function servicesOf(
  runtime: ContainerRuntime,
  run: PipelineRun,
  { id, step }: PlannedRun,
  scene: {
    readonly name: string;
    readonly tries: number;
    readonly goOn: boolean;
    readonly readyBy: number;
    say(text: string): Promise<void>;
  },
  signal: AbortSignal,
): Promise<OpenServices | undefined> {
  const { services } = step;
  if (Object.keys(services).length === 0) return undefined;
  const { name, tries, goOn, readyBy, say } = scene;
  return openServices(
    runtime,
    {
      services,
      // One label for each try, since an engine cannot be asked for what has no label.
      identity: { ...run.labels, "docker-ci.for": id, "docker-ci.service-try": String(tries) },
      name,
      networkLabels: run.labels,
      isInternal: run.project.network === "none",
      spec: { limits: run.project.limits, privileged: run.project.privileged },
      goOn,
      readyBy,
      mask: run.mask,
      say,
    },
    signal,
  );
}

function cachesOf(
  runtime: ContainerRuntime,
  run: PipelineRun,
  { cache }: RunStep,
  say: (text: string) => Promise<void>,
  signal: AbortSignal,
): ReturnType<typeof prepareCaches> {
  const { imageLabels, labels, project } = run;
  const wanted = {
    paths: cache,
    scope: run.cache,
    projectLabels: imageLabels,
    buildLabels: labels,
    limits: project.limits,
    say,
  };
  return prepareCaches(runtime, wanted, signal);
}
