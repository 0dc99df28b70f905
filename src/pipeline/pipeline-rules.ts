/** What must hold between the keys of a pipeline. */
import { z } from "zod";
import { type Problem, toIssue } from "../yaml-issues.ts";
import { matrixProblems } from "./matrix-rules.ts";
import { needsProblems } from "./needs-rules.ts";
import { Outline } from "./outline.ts";
import { stepProblems } from "./step-rules.ts";

export const MAX_STEPS = 100;

/** Runs also when a step is wrong in itself: hence `when`. */
export const checkPipeline = z.superRefine<unknown>(
  (pipeline, context) => {
    const { success, data } = Outline.safeParse(pipeline);
    // A file of so many steps is refused for that; comparing each with each would take long.
    if (!success || data.steps.length > MAX_STEPS) return;
    const ofSteps = [...stepProblems(data.steps), ...needsProblems(data.steps)].map(
      (problem): Problem => ({ ...problem, path: ["steps", ...problem.path] }),
    );
    for (const problem of [...ofSteps, ...matrixProblems(data)]) context.addIssue(toIssue(problem));
  },
  { when: () => true },
);
