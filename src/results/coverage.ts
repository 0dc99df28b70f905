/** How much of the sources the tests ran, whatever tool counted it. */
import { z } from "zod";

/** What was counted: Go's profiles count statements, most others lines. */
export const CoverageTotals = z.strictObject({
  unit: z.enum(["lines", "statements"]),
  covered: z.number().int().nonnegative(),
  total: z.number().int().nonnegative(),
});
export type CoverageTotals = z.infer<typeof CoverageTotals>;

/** One file of a report. */
export interface FileCoverage {
  /** As the report names it, with `/` between folders and without what the container's working directory adds. */
  readonly path: string;
  readonly covered: number;
  readonly total: number;
  /** Line numbers with how often each was run, in ascending order; lines without code are not in it. */
  readonly lines: readonly (readonly [line: number, hits: number])[];
}

export interface CoverageReport {
  readonly unit: CoverageTotals["unit"];
  /** By path. */
  readonly files: readonly FileCoverage[];
}

/** 61.9 for 619 of 1,000; undefined where there is nothing to cover. */
export function coveragePercent({ covered, total }: Pick<CoverageTotals, "covered" | "total">): number | undefined {
  return total === 0 ? undefined : (covered / total) * 100;
}
