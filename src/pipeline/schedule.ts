/** The order in which the steps of a plan are run: each as soon as what it needs is over, some at a time. */
import type { StepResult } from "../builds/build.ts";
import type { StepId } from "../names.ts";
import type { PlannedStep } from "./plan.ts";

export interface Schedule {
  readonly steps: readonly PlannedStep[];
  /** How many may be at work at a time. */
  readonly atOnce: number;
  /** Of the steps that are over; gets the others' as they end. */
  readonly results: Map<StepId, StepResult>;
  /** Runs one step. What it throws begins no further step. */
  run(planned: PlannedStep): Promise<StepResult>;
}

/**
 * Runs every step that has no result, in the order of the plan where several could begin. One that failed makes all that need
 * it `skipped`; the others go on.
 * @throws what the first step threw, when the others at work have ended.
 */
export async function runInOrder({ steps, atOnce, results, run }: Schedule): Promise<void> {
  const working = new Map<StepId, Promise<void>>();
  let fault: { readonly error: unknown } | undefined;
  const begin = (planned: PlannedStep): void => {
    const work = async (): Promise<void> => {
      try {
        results.set(planned.id, await run(planned));
      } catch (error) {
        fault ??= { error };
      }
      working.delete(planned.id);
    };
    working.set(planned.id, work());
  };
  for (;;) {
    skip(steps, results);
    const ready = steps.filter(
      ({ id, needs }) => !results.has(id) && !working.has(id) && needs.every((need) => results.has(need)),
    );
    if (fault === undefined) for (const planned of ready.slice(0, atOnce - working.size)) begin(planned);
    if (working.size === 0) break;
    await Promise.race(working.values());
  }
  if (fault !== undefined) throw fault.error;
}

/** Gives their results to the steps that the plan leaves out, and to those that need what failed or was itself skipped. */
function skip(steps: readonly PlannedStep[], results: Map<StepId, StepResult>): void {
  const lost = new Set<StepId>();
  for (const planned of steps) {
    const result = results.get(planned.id);
    if (result === undefined && planned.leftOut !== undefined) {
      results.set(planned.id, skipped(planned, planned.leftOut));
    } else if (result === undefined && planned.needs.some((need) => lost.has(need))) {
      // None stands before a step that it needs, so one look at each is enough.
      results.set(planned.id, skipped(planned, undefined));
      lost.add(planned.id);
    } else if (result !== undefined && planned.leftOut === undefined && isLost(result)) {
      lost.add(planned.id);
    }
  }
}

/** Whether nothing that needs this step can be run. */
function isLost({ state, allowed }: StepResult): boolean {
  return state === "skipped" || (state !== "passed" && allowed !== true);
}

function skipped(planned: PlannedStep, meaning: string | undefined): StepResult {
  return { ...nameOf(planned), state: "skipped", durationMs: 0, ...(meaning === undefined ? {} : { meaning }) };
}

/** The part of a result that says whose it is. */
export function nameOf({ id, step, lane }: PlannedStep): Pick<StepResult, "name" | "kind" | "id" | "lane"> {
  return { name: step.name, kind: step.kind, ...(lane === undefined ? {} : { id, lane: { ...lane } }) };
}
