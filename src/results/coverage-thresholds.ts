/** Whether a step's coverage is enough: `fail_under` and `max_drop` of a pipeline. */
import type { CoverageThresholds } from "../pipeline/schema.ts";
import { type CoverageTotals, coveragePercent } from "./coverage.ts";

/** So that what is the same in decimals is not told apart by how it is computed. */
const EPSILON = 1e-9;

/**
 * What a step that covers too little failed with: `coverage 58.2% is under 60% (fail_under)`; undefined where it is enough, or there
 * is nothing to measure it by.
 * @param before what it is compared with, where there is something.
 */
export function judgeCoverage(
  { failUnder, maxDrop }: CoverageThresholds,
  totals: CoverageTotals,
  before: CoverageTotals | undefined,
): string | undefined {
  const percent = coveragePercent(totals);
  if (percent === undefined) return undefined;
  if (failUnder !== undefined && percent < failUnder - EPSILON) {
    return `coverage ${apart(percent, failUnder)}% is under ${failUnder}% (fail_under)`;
  }
  const earlier = before && coveragePercent(before);
  if (maxDrop === undefined || earlier === undefined) return undefined;
  const drop = earlier - percent;
  if (drop <= maxDrop + EPSILON) return undefined;
  return `coverage fell by ${apart(drop, maxDrop)} to ${percent.toFixed(1)}%, allowed ${maxDrop} (max_drop)`;
}

/** With one decimal, or as many as it takes to differ from the limit: no sentence says that 60.0 is under 60. */
function apart(value: number, limit: number): string {
  const digits = [1, 2, 3, 4].find((count) => value.toFixed(count) !== limit.toFixed(count)) ?? 5;
  return value.toFixed(digits);
}
