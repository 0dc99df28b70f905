/** What must hold between the keys of one step, and of its name and image between the steps. */
import type { Problem } from "../yaml-issues.ts";
import type { OutlineStep } from "./outline.ts";

/** The keys that only a container run has. */
export const RUN_KEYS = [
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

/** The keys that say nothing without a report of coverage. */
export const COVERAGE_KEYS = ["coverage_html", "fail_under", "max_drop"] as const;

/** Each is a container of its own for as long as the step runs. */
const MAX_SERVICES = 10;

export function stepProblems(steps: readonly OutlineStep[]): Problem[] {
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
    return [
      ...repeated,
      ...imageProblems(steps, index, built),
      ...coverageProblems(step, index),
      ...serviceProblems(step, index),
    ];
  });
}

function misplacedKeys(step: OutlineStep, index: number): Problem[] {
  return RUN_KEYS.filter((key) => step[key] !== undefined).map((key) => ({
    path: [index, key],
    message: "cannot stand beside build; a step either builds an image or runs a container",
  }));
}

function imageProblems(steps: readonly OutlineStep[], index: number, built: number): Problem[] {
  const { image } = steps[index] ?? {};
  if (image === undefined) {
    const message = "missing, needed: an image, as no step before this one builds one";
    return built > 0 ? [] : [{ path: [index, "image"], message }];
  }
  const named = steps.findIndex(({ name, build }) => name === image && build !== undefined);
  if (named <= index) return [];
  return [{ path: [index, "image"], message: `found "${image}", which is built only later, by step ${named + 1}` }];
}

function coverageProblems(step: OutlineStep, index: number): Problem[] {
  if (step.coverage !== undefined) return [];
  return COVERAGE_KEYS.filter((key) => step[key] !== undefined).map((key) => ({
    path: [index, key],
    message: "cannot stand without coverage, the path of a coverage report",
  }));
}

function serviceProblems({ services }: OutlineStep, index: number): Problem[] {
  const count = typeof services === "object" && services !== null ? Object.keys(services).length : 0;
  const message = `found ${count} services, allowed: at most ${MAX_SERVICES}`;
  return count > MAX_SERVICES ? [{ path: [index, "services"], message }] : [];
}
