/** What must hold between the steps of a pipeline, and between the keys of one step. */
import { z } from "zod";
import { type Problem, toIssue } from "../yaml-issues.ts";

/** The keys that only a container run has. */
const RUN_KEYS = [
  "run",
  "image",
  "env",
  "services",
  "tests",
  "coverage",
  "coverage_html",
  "artifacts",
  "cache",
  "retry_failed",
  "fail_under",
  "max_drop",
] as const;

/** As much of a step as the rules need; steps with other mistakes are looked at too, so that all are told at once. */
const Outline = z.array(
  z
    .looseObject({ name: z.string().optional().catch(undefined), image: z.string().optional().catch(undefined) })
    .catch({}),
);
type Outline = z.output<typeof Outline>;

/** Runs also when a step is wrong in itself: hence `when`. */
export const checkSteps = z.superRefine<unknown>(
  (steps, context) => {
    const outline = Outline.safeParse(steps).data ?? [];
    for (const problem of stepProblems(outline)) context.addIssue(toIssue(problem));
  },
  { when: () => true },
);

function stepProblems(steps: Outline): Problem[] {
  const names = steps.map(({ name }) => name);
  let built = 0;
  return steps.flatMap((step, index): Problem[] => {
    const first = names.indexOf(step.name);
    const repeated: Problem[] =
      step.name !== undefined && first < index
        ? [
            {
              path: [index, "name"],
              message: `found "${step.name}" again (it names step ${first + 1}), allowed: a name of its own`,
            },
          ]
        : [];
    if (step.build !== undefined) {
      built += 1;
      return [...repeated, ...misplacedKeys(step, index)];
    }
    return [...repeated, ...imageProblems(steps, index, built)];
  });
}

function misplacedKeys(step: Outline[number], index: number): Problem[] {
  return RUN_KEYS.filter((key) => step[key] !== undefined).map((key) => ({
    path: [index, key],
    message: "cannot stand beside build; a step either builds an image or runs a container",
  }));
}

function imageProblems(steps: Outline, index: number, built: number): Problem[] {
  const { image } = steps[index] ?? {};
  if (image === undefined) {
    const message = "missing, needed: an image, as no step before this one builds one";
    return built > 0 ? [] : [{ path: [index, "image"], message }];
  }
  const named = steps.findIndex(({ name, build }) => name === image && build !== undefined);
  if (named <= index) return [];
  return [{ path: [index, "image"], message: `found "${image}", which is built only later, by step ${named + 1}` }];
}
