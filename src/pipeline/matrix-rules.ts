/** What must hold of `matrix:`, and of what its variables are put into. */
import { didYouMean, nearest } from "../nearest.ts";
import { formatBytes, formatCount } from "../units.ts";
import type { Problem } from "../yaml-issues.ts";
import { fillIn, type Lane, laneCount, lanesOf, MAX_LANES, MAX_PLANNED_STEPS, variablesIn } from "./matrix.ts";
import type { Outline, OutlineStep } from "./outline.ts";
import { IMAGE_ALLOWED, isImageReference, isRepositoryPath, PATH_ALLOWED } from "./written-step.ts";

const MAX_VARIABLES = 10;
/** A plan is kept with its build, and every lane repeats its steps. */
const MAX_PLAN_BYTES = 4 * 1024 ** 2;
/** Beyond this nobody wants to know how many exactly. */
const COUNT_TOLD = 1_000_000;

export function matrixProblems({ steps, matrix }: Outline): Problem[] {
  if (matrix === undefined) {
    const tooLarge = bytesProblem(steps, 1);
    return [
      ...(tooLarge === undefined ? [] : [{ path: ["steps"], message: tooLarge }]),
      ...imageVariableProblems(steps, []),
    ];
  }
  const variables = Object.keys(matrix);
  const tooMany = sizeProblem(steps, matrix);
  return [
    ...(tooMany === undefined ? [] : [{ path: ["matrix"], message: tooMany }]),
    ...variables.filter(isReserved).map((variable) => ({
      path: ["matrix", variable],
      message: "this name is set by docker-ci itself, allowed: a name other than CI and DOCKER_CI_…",
    })),
    ...Object.entries(matrix).flatMap(repeatedValues),
    ...imageVariableProblems(steps, variables),
    ...(tooMany === undefined ? filledProblems(steps, matrix) : []),
  ];
}

function sizeProblem(steps: readonly OutlineStep[], matrix: NonNullable<Outline["matrix"]>): string | undefined {
  const variables = Object.keys(matrix).length;
  if (variables === 0) return "found no variable, allowed: a mapping of variables to lists of values";
  if (variables > MAX_VARIABLES) {
    return `found ${formatCount(variables)} variables, allowed: at most ${MAX_VARIABLES}`;
  }
  const lanes = laneCount(matrix);
  if (lanes > MAX_LANES) return `found ${told(lanes)} combinations, allowed: at most ${MAX_LANES}`;
  const planned = lanes * steps.length;
  if (planned > MAX_PLANNED_STEPS) {
    return `found ${told(planned)} steps (${steps.length} in each of ${lanes} lanes), allowed: at most ${MAX_PLANNED_STEPS}`;
  }
  return bytesProblem(steps, lanes);
}

/** Aliases make much of a short file as well. */
function bytesProblem(steps: readonly OutlineStep[], lanes: number): string | undefined {
  const bytes = lanes * JSON.stringify(steps).length;
  if (bytes <= MAX_PLAN_BYTES) return undefined;
  const where = lanes === 1 ? "" : ` in ${lanes} lanes`;
  return `found ${formatBytes(bytes)} of steps${where}, allowed: at most ${formatBytes(MAX_PLAN_BYTES)}`;
}

function told(count: number): string {
  return count > COUNT_TOLD ? `more than ${formatCount(COUNT_TOLD)}` : formatCount(count);
}

function isReserved(variable: string): boolean {
  return variable === "CI" || variable.startsWith("DOCKER_CI_");
}

function repeatedValues([variable, values]: [string, unknown[]]): Problem[] {
  if (new Set(values).size === values.length) return [];
  const again = values.findIndex((value, index) => values.indexOf(value) < index);
  const message = `found ${JSON.stringify(values[again])} again, allowed: each value once`;
  return [{ path: ["matrix", variable, again], message }];
}

/** An image of no variable's cannot be meant, whereas any other text may have a dollar of its own. */
function imageVariableProblems(steps: readonly OutlineStep[], variables: readonly string[]): Problem[] {
  return imagesOf(steps).flatMap(({ path, text }) =>
    variablesIn(text)
      .filter((name) => !variables.includes(name))
      .map((name) => {
        const hint = didYouMean(nearest(name, variables, 1));
        const message = `found "${text}", in which ${name} is no variable of matrix${hint === "" ? "" : `. ${hint}`}`;
        return { path, message };
      }),
  );
}

/** What the values make of the texts they are put into: the first lane in which it is none that could be used. */
function filledProblems(steps: readonly OutlineStep[], matrix: NonNullable<Outline["matrix"]>): Problem[] {
  const values = Object.entries(matrix).map(([variable, list]) => [variable, list.map(String)] as const);
  const lanes = lanesOf(Object.fromEntries(values));
  const built = new Set(steps.flatMap(({ name, build }) => (build === undefined ? [] : (name ?? []))));
  const check = ({ path, text }: Place, isFit: (filled: string) => boolean, allowed: string): Problem[] => {
    const mentioned = variablesIn(text).filter((name) => Object.hasOwn(matrix, name));
    if (mentioned.length === 0) return [];
    const lane = lanes.find((candidate) => !isFit(fillIn(text, candidate)));
    return lane === undefined ? [] : [{ path, message: unfit(text, lane, mentioned, allowed) }];
  };
  return [
    ...imagesOf(steps).flatMap((place) =>
      check(
        place,
        (filled) => isImageReference(filled) && !built.has(filled),
        `${IMAGE_ALLOWED}; a step is named without a variable`,
      ),
    ),
    ...pathsOf(steps).flatMap((place) => check(place, isRepositoryPath, PATH_ALLOWED)),
  ];
}

function unfit(text: string, lane: Lane, mentioned: readonly string[], allowed: string): string {
  const values = mentioned.map((name) => `${name}=${lane[name] ?? ""}`).join(" ");
  return `found "${text}", which is ${JSON.stringify(fillIn(text, lane))} in the lane ${values}, allowed: ${allowed}`;
}

interface Place {
  readonly path: readonly PropertyKey[];
  readonly text: string;
}

function imagesOf(steps: readonly OutlineStep[]): Place[] {
  return steps.flatMap((step, index) => {
    const services = Object.entries(step.services ?? {}).map(([name, service]) => ({
      path: ["steps", index, "services", name],
      text: textAt(service, "image"),
    }));
    return [{ path: ["steps", index, "image"], text: step.image ?? "" }, ...services];
  });
}

function pathsOf(steps: readonly OutlineStep[]): Place[] {
  return steps.flatMap(({ build }, index) =>
    ["context", "dockerfile"].map((key) => ({ path: ["steps", index, "build", key], text: textAt(build, key) })),
  );
}

function textAt(value: unknown, key: string): string {
  const text: unknown = typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
  return typeof text === "string" ? text : "";
}
