/** The plan of a build as its record keeps it: what was to be run, and all it takes to run it again elsewhere, but no secret. */
import { z } from "zod";
import { StepId, StepName } from "../names.ts";
import type { Plan, PlannedStep } from "./plan.ts";
import type { Service } from "./schema.ts";

const variables = z.record(z.string(), z.string());

const shared = {
  id: StepId,
  name: StepName,
  /** The values of the matrix. */
  lane: variables.optional(),
  needs: z.array(StepId),
  leftOut: z.string().optional(),
  timeoutMs: z.number().int().positive().optional(),
  idleMs: z.union([z.number().int().positive(), z.literal("off")]).optional(),
};

const RecordedBuildStep = z.strictObject({
  kind: z.literal("build"),
  ...shared,
  context: z.string(),
  dockerfile: z.string(),
  args: variables,
  target: z.string().optional(),
});

const RecordedRunStep = z.strictObject({
  kind: z.literal("run"),
  ...shared,
  /** Missing where the image's own command is run. */
  script: z.string().optional(),
  image: z.discriminatedUnion("kind", [
    /** Built by this step of the same lane. */
    z.strictObject({ kind: z.literal("step"), step: StepName }),
    z.strictObject({ kind: z.literal("reference"), reference: z.string() }),
  ]),
  /** As the pipeline writes it, with the values of the matrix. */
  env: variables,
  services: z.record(z.string(), z.strictObject({ image: z.string(), ready: z.string().optional(), env: variables })),
});

export const RecordedStep = z.discriminatedUnion("kind", [RecordedBuildStep, RecordedRunStep]);
export type RecordedStep = z.infer<typeof RecordedStep>;

export const RecordedPlan = z.strictObject({
  /** In the order of the plan. */
  steps: z.array(RecordedStep),
  isParallel: z.boolean(),
  /** Names of the variables that the project's configuration gives to every run step. Their values may come from the bot's own environment. */
  projectEnv: z.array(z.string()),
  /** Names of the secrets that were given to every run step. */
  secrets: z.array(z.string()),
});
export type RecordedPlan = z.infer<typeof RecordedPlan>;

/** @param given the names of what the configuration gives to every run step; never its values. */
export function recordPlan(plan: Plan, given: Pick<RecordedPlan, "projectEnv" | "secrets">): RecordedPlan {
  return {
    steps: plan.steps.map(recordStep),
    isParallel: plan.isParallel,
    projectEnv: given.projectEnv,
    secrets: given.secrets,
  };
}

function recordStep({ id, step, lane, needs, leftOut }: PlannedStep): RecordedStep {
  const common = {
    id,
    name: step.name,
    needs: [...needs],
    ...(lane === undefined ? {} : { lane: { ...lane } }),
    ...(leftOut === undefined ? {} : { leftOut }),
    ...(step.timeoutMs === undefined ? {} : { timeoutMs: step.timeoutMs }),
    ...(step.idleMs === undefined ? {} : { idleMs: step.idleMs }),
  };
  if (step.kind === "build") {
    const { context, dockerfile, args, target } = step;
    return {
      kind: "build",
      ...common,
      context,
      dockerfile,
      args: { ...args },
      ...(target === undefined ? {} : { target }),
    };
  }
  const { script, image, env, services } = step;
  return {
    kind: "run",
    ...common,
    ...(script === undefined ? {} : { script }),
    image,
    env: { ...env },
    services: Object.fromEntries(Object.entries(services).map(([name, service]) => [name, recordService(service)])),
  };
}

function recordService({ image, ready, env }: Service) {
  return { image, env: { ...env }, ...(ready === undefined ? {} : { ready }) };
}
