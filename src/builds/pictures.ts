/** The pictures among what a build left behind: a screenshot of what a check saw. */
import { stepLabel } from "../pipeline/plan.ts";
import { type Build, isFinished, type StepResult } from "./build.ts";

export interface Picture {
  readonly path: string;
  /** The step that left it, as people know it. */
  readonly step: string;
  readonly isOfFailure: boolean;
}

/** Those of steps that failed first. None where they have not come from their worker. */
export function picturesOf(build: Build): Picture[] {
  if (!isFinished(build) || build.results?.undelivered !== undefined) return [];
  const failed = build.steps.filter(hasFailed);
  const others = build.steps.filter((step) => !hasFailed(step));
  // Of two lanes that leave a file of one name the later one's is there.
  const owners = new Map(build.steps.flatMap((step) => (step.artifacts ?? []).map(({ path }) => [path, step])));
  return [...failed, ...others].flatMap((step) =>
    (step.artifacts ?? [])
      .filter(({ path, picture }) => picture === true && owners.get(path) === step)
      .map(({ path }) => ({ path, step: stepLabel(step), isOfFailure: hasFailed(step) })),
  );
}

function hasFailed({ state, allowed }: StepResult): boolean {
  return state === "failed" && allowed !== true;
}

/** The path of an artifact on the web page. */
export function artifactPath(number: number, path: string): string {
  return `/artifacts/${number}/${path.split("/").map(encodeURIComponent).join("/")}`;
}
