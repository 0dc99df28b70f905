/** What must hold of `needs:`: every name is another step's, and no step waits for itself in the end. */
import { didYouMean, nearest } from "../nearest.ts";
import type { Problem } from "../yaml-issues.ts";
import { circlesIn, type Edges, waitsFor } from "./order.ts";
import type { OutlineStep } from "./outline.ts";

/** A list of each mistake would be longer than the file. */
const CIRCLES_TOLD = 3;

export function needsProblems(steps: readonly OutlineStep[]): Problem[] {
  const names = steps.flatMap(({ name }) => name ?? []);
  return [
    ...steps.flatMap(({ needs = [], name: own }, index) =>
      needs.flatMap((need, place): Problem[] => {
        const path = [index, "needs", place];
        // What is no name at all is told by the schema.
        if (need === "") return [];
        if (need === own) return [{ path, message: `found "${need}", which is this step itself` }];
        if (names.includes(need)) return [];
        const hint = didYouMean(nearest(need, names, 1));
        return [{ path, message: `found "${need}", which is no step${hint === "" ? "" : `. ${hint}`}` }];
      }),
    ),
    ...circleProblems(steps),
  ];
}

function circleProblems(steps: readonly OutlineStep[]): Problem[] {
  const edges = waitsFor(steps.map((step) => ({ ...step, image: builtImage(steps, step) })));
  const problems = circlesIn(edges).flatMap((circle) => circleProblem(steps, edges, circle));
  return problems.slice(0, CIRCLES_TOLD);
}

/** Only what a step before it builds can be waited for without being named; the rest is told as a mistake of `image`. */
function builtImage(steps: readonly OutlineStep[], step: OutlineStep): string | undefined {
  const built = steps.slice(0, steps.indexOf(step)).filter(({ build }) => build !== undefined);
  return built.find(({ name }) => name === step.image)?.name;
}

/** At the step that names a later one: without one there is no circle. */
function circleProblem(steps: readonly OutlineStep[], edges: Edges, circle: readonly number[]): Problem[] {
  const start = circle.findIndex((index, place) => (circle[place + 1] ?? circle[0] ?? 0) > index);
  const turned = [...circle.slice(start), ...circle.slice(0, start)];
  const [index = 0, next = 0] = turned;
  const nameOf = (place: number): string => steps[place]?.name ?? `step ${place + 1}`;
  const silent = turned.find((place) => steps[place]?.needs === undefined && (edges[place]?.length ?? 0) > 0);
  const advice = silent === undefined ? "" : `; without needs, ${nameOf(silent)} waits for all steps before it`;
  return [
    {
      path: [index, "needs", steps[index]?.needs?.indexOf(nameOf(next)) ?? 0],
      message: `found "${nameOf(next)}", which waits for this step in turn: ${[...turned, index].map(nameOf).join(" → ")}${advice}`,
    },
  ];
}
