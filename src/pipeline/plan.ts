/** The plan of a build: every step of every lane of its pipeline, what each waits for, and which are left out. */
import type { StepResult } from "../builds/build.ts";
import type { StepId, StepName } from "../names.ts";
import type { Step } from "./schema.ts";

/** One step of one lane. */
export interface PlannedStep {
  readonly id: StepId;
  /** As written, with the lane's values filled in; its `needs` are the names, those below count. */
  readonly step: Step;
  /** The values of the matrix in this lane; missing without a matrix. */
  readonly lane: Readonly<Record<string, string>> | undefined;
  /** All that must be over, and not have failed, before it begins. */
  readonly needs: readonly StepId[];
  /** Why it is left out, where it is: `only on branch main`. */
  readonly leftOut: string | undefined;
}

export interface Plan {
  /** In the order in which they are told of. */
  readonly steps: readonly PlannedStep[];
  /** Whether steps may run side by side: then every line of the log says whose it is. */
  readonly isParallel: boolean;
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
