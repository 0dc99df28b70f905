/** One `build:` step: a docker build of a part of the tree, within its time and not silent for too long. */
import type { ContainerRuntime } from "../runtime.ts";
import { buildContext } from "./context.ts";
import { stopMeaning } from "./exit.ts";
import { imageTag } from "./image-tag.ts";
import { clockTime, type PipelineRun, type StepEnd, type StepScene, stepDeadline, stepIdleMs } from "./pipeline-run.ts";
import type { PlannedStep } from "./plan.ts";
import { resourcesNow } from "./resources.ts";
import type { BuildStep } from "./schema.ts";
import { StepLimits } from "./step-limits.ts";
import { StepOutput } from "./step-output.ts";

/**
 * What breaks its silence is whatever the builder tells: a line that a RUN prints, and without a line in the log also a piece of a
 * base image that was pulled, or the end of an instruction. A RUN that prints nothing is silent, as a container is. It counts
 * from when the builder is first heard of.
 */
export async function runBuildStep(
  runtime: ContainerRuntime,
  run: PipelineRun,
  planned: PlannedStep & { readonly step: BuildStep },
  { images, log, signal, place, label, lineLabel }: StepScene,
): Promise<StepEnd> {
  const { id, step, lane } = planned;
  const output = new StepOutput(log, { key: id, label: lineLabel, mask: run.mask, watch: run.watch?.(id) });
  const dockerfile = step.dockerfile === "Dockerfile" ? "" : ` -f ${step.dockerfile}`;
  await output.line(`── step ${place}: ${label} · ${clockTime()} · docker build${dockerfile} ${step.context}`);
  const context = await buildContext(run.tarFile, step, images);
  if ("missing" in context) return { state: "failed", meaning: context.missing };
  const limits = new StepLimits({
    deadline: stepDeadline(run, step.timeoutMs),
    idleMs: stepIdleMs(run, step),
    answers: (within) => runtime.info(within),
  });
  const { silence } = limits;
  silence.pause();
  const tag = imageTag(run.project.name, run.id, id);
  // A builder that was interrupted is begun anew: its output has no place to go on from.
  output.begin(true);
  try {
    const built = await runtime.buildImage({
      context: context.stream,
      dockerfile: context.dockerfile,
      tag,
      args: { ...lane, ...step.args },
      target: step.target,
      labels: run.imageLabels,
      builder: run.project.builder,
      network: run.project.network,
      ...(run.isUntrusted === true ? { cacheNamespace: run.id } : {}),
      limits: run.project.limits,
      signal: AbortSignal.any([signal, limits.signal]),
      async onOutput(text) {
        silence.pause();
        await output.push({ stream: "stdout", bytes: Buffer.from(text) });
        silence.heard();
      },
      onProgress: () => silence.heard(),
    });
    await output.end();
    if (built.kind === "built") return { state: "passed", image: tag };
    return {
      state: "failed",
      meaning: built.message,
      resources: resourcesNow(undefined, run.project.limits),
      ...(built.exitCode === undefined ? {} : { exitCode: built.exitCode }),
    };
  } catch (error) {
    await output.end();
    if (signal.aborted) throw signal.reason;
    const { stopped } = limits;
    if (stopped === undefined) throw error;
    return { state: "failed", meaning: stopMeaning(stopped), resources: resourcesNow(undefined, run.project.limits) };
  } finally {
    limits.end();
    context.stream.destroy();
  }
}
