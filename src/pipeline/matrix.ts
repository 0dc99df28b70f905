/** The lanes of a matrix, and what its variables stand for in each of them. */
import type { RunStep, Service, Step } from "./schema.ts";

/** Every value makes lanes of its own, so a few lists are many containers. */
export const MAX_LANES = 64;
/** Steps of all lanes together. */
export const MAX_PLANNED_STEPS = 400;

export type Matrix = Readonly<Record<string, readonly string[]>>;
/** The variables of a matrix, one value each. */
export type Lane = Readonly<Record<string, string>>;

/** `$NAME` or `${NAME}`, as the shell has them. */
const VARIABLE = /\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})/g;

/** Every combination of the values, as somebody who counts would tell them: the last variable changes first. */
export function lanesOf(matrix: Matrix): readonly Lane[] {
  return Object.entries(matrix).reduce<readonly Lane[]>(
    (lanes, [variable, values]) => lanes.flatMap((lane) => values.map((value) => ({ ...lane, [variable]: value }))),
    [{}],
  );
}

/** How many combinations there are, without making them. */
export function laneCount(matrix: Readonly<Record<string, readonly unknown[]>>): number {
  return Object.values(matrix).reduce((count, values) => count * values.length, 1);
}

export function variablesIn(text: string): readonly string[] {
  return [...text.matchAll(VARIABLE)].map(([, bare, braced]) => bare ?? braced ?? "");
}

/** The text with the lane's values; a dollar of anything else stays. */
export function fillIn(text: string, lane: Lane): string {
  return text.replaceAll(VARIABLE, (whole, bare?: string, braced?: string) => {
    const name = bare ?? braced ?? "";
    // Not by `in`: an object also has what every object has.
    return Object.hasOwn(lane, name) ? (lane[name] ?? whole) : whole;
  });
}

/** The step as it is in this lane. The step's own variables and arguments win over those of the matrix. */
export function inLane(step: Step, lane: Lane): Step {
  if (step.kind === "run") {
    return {
      ...step,
      image: imageInLane(step.image, lane),
      env: { ...lane, ...step.env },
      services: mapValues(step.services, (service): Service => ({ ...service, image: fillIn(service.image, lane) })),
    };
  }
  return {
    ...step,
    context: fillIn(step.context, lane),
    dockerfile: fillIn(step.dockerfile, lane),
    target: step.target === undefined ? undefined : fillIn(step.target, lane),
    args: { ...lane, ...mapValues(step.args, (value) => fillIn(value, lane)) },
  };
}

function imageInLane(image: RunStep["image"], lane: Lane): RunStep["image"] {
  return image.kind === "step" ? image : { kind: "reference", reference: fillIn(image.reference, lane) };
}

function mapValues<From, To>(entries: Readonly<Record<string, From>>, change: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(entries).map(([key, value]) => [key, change(value)]));
}
