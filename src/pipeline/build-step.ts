/** One `build:` step: a docker build of a part of the tree, within its time. */
import type { ContainerRuntime } from "../runtime.ts";
import { formatDuration } from "../units.ts";
import { buildContext } from "./context.ts";
import { imageTag } from "./image-tag.ts";
import { clockTime, type PipelineRun, type StepEnd, type StepScene, stepDeadline } from "./pipeline-run.ts";
import type { PlannedStep } from "./plan.ts";
import type { BuildStep } from "./schema.ts";
import { StepOutput } from "./step-output.ts";

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
  const limit = stepDeadline(run, step.timeoutMs);
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), Math.max(0, limit.at - Date.now()));
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
      signal: AbortSignal.any([signal, late.signal]),
      onOutput: (text) => output.push({ stream: "stdout", bytes: Buffer.from(text) }),
    });
    await output.end();
    if (built.kind === "built") return { state: "passed", image: tag };
    return {
      state: "failed",
      meaning: built.message,
      ...(built.exitCode === undefined ? {} : { exitCode: built.exitCode }),
    };
  } catch (error) {
    await output.end();
    if (signal.aborted) throw signal.reason;
    if (!late.signal.aborted) throw error;
    return { state: "failed", meaning: `time limit ${formatDuration(limit.limitMs)} of the ${limit.whole} passed` };
  } finally {
    clearTimeout(timer);
    context.stream.destroy();
  }
}
