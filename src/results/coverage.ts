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
  /** As the report names it, with `/` between folders; a path of the repository once `normalisePaths` has been at it. */
  readonly path: string;
  readonly covered: number;
  readonly total: number;
  /** Numbers of the lines that have code, ascending. */
  readonly lines: Uint32Array;
  /** How often each of these lines was run; at the largest number it stops counting. */
  readonly hits: Uint32Array;
  /** Of a Go profile, six numbers a block: first line, column, last line, column, statements, hits; ascending. */
  readonly blocks?: Uint32Array;
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

export function totalsOf({ unit, files }: CoverageReport): CoverageTotals {
  let covered = 0;
  let total = 0;
  for (const file of files) {
    covered += file.covered;
    total += file.total;
  }
  return { unit, covered, total };
}
