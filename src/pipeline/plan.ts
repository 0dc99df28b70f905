/** The plan of a build: every step of every lane of its pipeline, what each waits for, and which are left out. */
import type { StepResult } from "../builds/build.ts";
import { StepId, type StepName } from "../names.ts";
import { type Occasion, whyLeftOut } from "./condition.ts";
import { inLane, type Lane, lanesOf } from "./matrix.ts";
import { type Edges, inOrder, waitsFor } from "./order.ts";
import type { Pipeline, Step } from "./schema.ts";

/** One step of one lane. */
export interface PlannedStep {
  readonly id: StepId;
  /** As written, with the lane's values filled in; its `needs` are the names, those below count. */
  readonly step: Step;
  /** The values of the matrix in this lane; missing without a matrix. */
  readonly lane: Lane | undefined;
  /** All that must be over, and not have failed, before it begins. None of them is left out: what such a step waits for stands in its place. */
  readonly needs: readonly StepId[];
  /** Why it is left out, where it is: `only on branch main`. */
  readonly leftOut: string | undefined;
}

export interface Plan {
  /** In the order in which they are told of: lane by lane, none before a step that it needs. */
  readonly steps: readonly PlannedStep[];
  /** Whether steps may run side by side: then every line of the log says whose it is. */
  readonly isParallel: boolean;
}

export interface PlanOptions extends Occasion {
  /** Only these run steps, in every lane, and the images that they need; undefined for all. */
  readonly onlySteps: readonly StepName[] | undefined;
  /** Steps that only test are left out; those that leave artifacts too may fail. */
  readonly skipTests?: true | undefined;
}

const NOT_ASKED_FOR = "not asked for";
const TESTS_SKIPPED = "tests are skipped";
/** A step that says nothing of reports is one of tests by its name. */
const TEST_NAMES = ["test", "tests"];

/** What a pipeline comes to in one build. A pipeline that was parsed can always be planned. */
export function planBuild(pipeline: Pipeline, options: PlanOptions): Plan {
  const { steps, matrix } = pipeline;
  const edges = waitsFor(steps.map((step) => ({ ...step, image: imageStep(step) })));
  const order = inOrder(edges);
  const leftOut = leaveOut(steps, edges, order, options);
  const needs = needsLeft(edges, order, leftOut);
  const excused = (step: Step): Step =>
    options.skipTests === true && isTest(step) ? { ...step, allowFailure: true } : step;
  const lanes = matrix === undefined ? [undefined] : lanesOf(matrix);
  const planned = lanes.flatMap((lane, index) => {
    const idOf = ({ name }: Step): StepId => StepId.parse(lane === undefined ? name : `${name}.${index + 1}`);
    return order.flatMap((place): PlannedStep[] => {
      const step = steps[place];
      if (step === undefined) return [];
      return [
        {
          id: idOf(step),
          step: excused(lane === undefined ? step : inLane(step, lane)),
          lane,
          needs: [...(needs[place] ?? [])].flatMap((need) => steps[need] ?? []).map(idOf),
          leftOut: leftOut[place],
        },
      ];
    });
  });
  return { steps: planned, isParallel: mayRunSideBySide(planned) };
}

function isTest(step: Step): boolean {
  if (step.kind !== "run") return false;
  return step.tests.length > 0 || step.coverage !== undefined || TEST_NAMES.includes(step.name);
}

function leavesNothing(step: Step): boolean {
  return step.kind === "run" && step.artifacts.length === 0;
}

function imageStep(step: Step): StepName | undefined {
  return step.kind === "run" && step.image.kind === "step" ? step.image.step : undefined;
}

/** By the places of the steps, why each is left out. */
function leaveOut(
  steps: readonly Step[],
  edges: Edges,
  order: readonly number[],
  { onlySteps, skipTests, ...occasion }: PlanOptions,
): readonly (string | undefined)[] {
  const reasons = new Map<number, string>();
  for (const place of order) {
    const step = steps[place];
    if (step === undefined) continue;
    const image = imageStep(step);
    const isImageLeftOut = image !== undefined && reasons.has(steps.findIndex(({ name }) => name === image));
    const reason =
      whyLeftOut(step.when, occasion) ??
      (step.kind === "run" && onlySteps?.includes(step.name) === false ? NOT_ASKED_FOR : undefined) ??
      (skipTests === true && isTest(step) && leavesNothing(step) ? TESTS_SKIPPED : undefined) ??
      (isImageLeftOut ? `step ${image}, whose image it runs in, is left out` : undefined);
    if (reason !== undefined) reasons.set(place, reason);
  }
  if (onlySteps !== undefined) {
    const wanted = new Set<number>();
    // Backwards: what a wanted step waits for stands before it.
    for (const place of order.toReversed()) {
      const isAsked = steps[place]?.kind === "run" && !reasons.has(place);
      if (isAsked || wanted.has(place)) for (const need of edges[place] ?? []) wanted.add(need);
    }
    for (const [place, step] of steps.entries()) {
      if (step.kind === "build" && !wanted.has(place) && !reasons.has(place)) reasons.set(place, NOT_ASKED_FOR);
    }
  }
  return steps.map((_step, place) => reasons.get(place));
}

/** What each step waits for when the steps that are left out count as over. */
function needsLeft(edges: Edges, order: readonly number[], leftOut: readonly (string | undefined)[]): Edges {
  const through: (readonly number[])[] = [];
  for (const place of order) {
    const needs = (edges[place] ?? []).flatMap((need) =>
      leftOut[need] === undefined ? [need] : (through[need] ?? []),
    );
    through[place] = [...new Set(needs)].sort((a, b) => a - b);
  }
  return through.map((needs, place) => (leftOut[place] === undefined ? needs : []));
}

/** Not when each step waits for the one told of before it. */
function mayRunSideBySide(planned: readonly PlannedStep[]): boolean {
  const taking = planned.filter(({ leftOut }) => leftOut === undefined);
  return taking.some(({ needs }, index) => {
    const before = taking[index - 1];
    return before !== undefined && !needs.includes(before.id);
  });
}

/** What stands between a step's label and a line of its output where steps run side by side: `tests NODE=20 │ ok 1`. */
export const LANE_BAR = " │ ";

/** `tests`, or `tests NODE=20` in a matrix: how people read it, in logs and in chat. */
export function stepLabel({ name, lane }: { readonly name: StepName; readonly lane?: PlannedStep["lane"] }): string {
  const values = Object.entries(lane ?? {}).map(([variable, value]) => `${variable}=${value}`);
  return [name, ...values].join(" ");
}

/** The id of a step by its result. */
export function stepIdOf(result: Pick<StepResult, "name" | "id">): string {
  return result.id ?? result.name;
}
