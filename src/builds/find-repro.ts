/** A build's plan, the step of it that is to be repeated, and what its commands are made from. */
import type { Config } from "../config.ts";
import { UserError } from "../errors.ts";
import type { BuildNumber } from "../names.ts";
import type { RecordedPlan, RecordedStep } from "../pipeline/plan-record.ts";
import type { Build } from "./build.ts";
import type { Builds } from "./builds.ts";
import { grantedTo, inputsOf } from "./inputs.ts";
import { type ReproScene, stepToRepeat } from "./repro.ts";

export interface FoundRepro {
  readonly build: Build;
  readonly plan: RecordedPlan;
  readonly step: RecordedStep;
  readonly scene: ReproScene;
}

/**
 * @param wanted a step's name, id or label; by default the first that failed.
 * @throws UserError where there is no such build or step, or nothing on record to repeat it from.
 */
export async function findRepro(
  { builds, config }: { readonly builds: Builds; readonly config: Pick<Config, "url"> },
  number: BuildNumber,
  wanted: string | undefined,
): Promise<FoundRepro> {
  const build = await builds.get(number);
  const plan = await builds.plan(number);
  if (plan === undefined || build.revision === undefined) {
    throw new UserError(`#${number} has no plan on record: it did not come so far, or is too old.`);
  }
  const project = builds.project(build.project);
  const { env } = inputsOf(build, build.revision, project, config.url);
  return { build, plan, step: stepToRepeat(build, plan, wanted), scene: { project: grantedTo(build, project), env } };
}
