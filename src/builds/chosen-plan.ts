/** Which pipeline a build runs, and which of its steps: that of the configuration, of its tree, or the one for a Dockerfile alone. */
import type { Project } from "../config.ts";
import { ConfigError } from "../errors.ts";
import { choosePipeline } from "../pipeline/choose.ts";
import { type Plan, planBuild } from "../pipeline/plan.ts";
import type { Build } from "./build.ts";
import { eventOf, targetBranch } from "./pull-request.ts";

/** `problems` are for the log; `labels` are what its worker must have. Without a plan a phrase says why. */
export type Chosen = { readonly problems: readonly string[]; readonly labels: readonly string[] } & (
  | { readonly plan: Plan }
  | { readonly plan: undefined; readonly reason: string }
);

/** @param top the files at the top of the tree, by name. Never throws for what a repository holds. */
export function choosePlan(project: Project, top: ReadonlyMap<string, string>, build: Build): Chosen {
  try {
    const chosen = choosePipeline(project.pipeline, top);
    if (chosen.pipeline === undefined) return { ...chosen, plan: undefined, labels: [] };
    const occasion = {
      branch: targetBranch(build.revision),
      event: eventOf(build),
      onlySteps: build.onlySteps,
      skipTests: build.skipTests,
    };
    const { labels } = chosen.pipeline;
    return { problems: chosen.problems, labels, plan: planBuild(chosen.pipeline, occasion) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const more = error.problems.length > 1 ? ` (and ${error.problems.length - 1} more in the log)` : "";
    return {
      plan: undefined,
      labels: [],
      problems: error.problems,
      reason: `${error.problems[0] ?? error.message}${more}`,
    };
  }
}
