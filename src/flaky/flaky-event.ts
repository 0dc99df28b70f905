/** A test, or a step without a report, that failed and passed at one revision. */
import { z } from "zod";
import { BuildNumber, Sha } from "../names.ts";
import { TestName, testKey, testLabel } from "../results/test-case.ts";

export const FlakyEvent = z.strictObject({
  /** Missing where it is the step itself. */
  test: TestName.optional(),
  /** The step as people know it: `tests`, `tests NODE=20`. */
  step: z.string(),
  /** The build in which it failed. */
  build: BuildNumber,
  sha: Sha,
  /** What the failure cost: the time of running the step again. */
  lostMs: z.number().int().nonnegative(),
  at: z.iso.datetime(),
});
export type FlakyEvent = z.infer<typeof FlakyEvent>;

/** One test or step with everything known against it. */
export interface Unsteady {
  readonly test: FlakyEvent["test"];
  /** `registry/handlers › TestBlobUpload`, `step lint` */
  readonly label: string;
  readonly times: number;
  readonly lostMs: number;
  /** The newest build in which it failed. */
  readonly last: BuildNumber;
}

/** The most time lost first, then the most often. */
export function rank(events: readonly FlakyEvent[]): Unsteady[] {
  const grouped = new Map<string, FlakyEvent[]>();
  for (const event of events) {
    const name = nameOf(event);
    grouped.set(name, [...(grouped.get(name) ?? []), event]);
  }
  return [...grouped.values()]
    .flatMap((of): Unsteady[] => {
      const [first] = of;
      if (first === undefined) return [];
      const { test, step } = first;
      return [
        {
          test,
          label: test === undefined ? `step ${step}` : testLabel(test),
          times: new Set(of.map(({ build }) => build)).size,
          lostMs: of.reduce((sum, { lostMs }) => sum + lostMs, 0),
          last: of.reduce((newest, event) => (event.build > newest.build ? event : newest)).build,
        },
      ];
    })
    .toSorted((a, b) => b.lostMs - a.lostMs || b.times - a.times || a.label.localeCompare(b.label));
}

/** One text for what changed its mind. */
export function nameOf({ test, step }: Pick<FlakyEvent, "test" | "step">): string {
  return test === undefined ? `step ${step}` : testKey(test);
}

/** The time lost in all: a step that was run again for three tests was run again once. */
export function lostMs(events: readonly FlakyEvent[]): number {
  const runs = new Map(events.map((event) => [`${event.build} ${event.step}`, event.lostMs]));
  return [...runs.values()].reduce((sum, ms) => sum + ms, 0);
}
