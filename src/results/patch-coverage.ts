/** How many of the lines that a change touched were run. */
import type { ChangedLines } from "../revisions.ts";
import type { CoverageReport } from "./coverage.ts";

export interface PatchCoverage {
  readonly covered: number;
  readonly total: number;
}

/** Counts lines with code, whatever the report counts; its paths have to be the repository's (`normalisePaths`). */
export function patchCoverage(report: CoverageReport, changed: ChangedLines): PatchCoverage {
  let covered = 0;
  let total = 0;
  for (const { path, lines, hits } of report.files) {
    for (const [first, last] of changed.get(path) ?? []) {
      for (let at = firstAtLeast(lines, first); at < lines.length && (lines[at] ?? 0) <= last; at += 1) {
        total += 1;
        if ((hits[at] ?? 0) > 0) covered += 1;
      }
    }
  }
  return { covered, total };
}

/** Where the first number stands that is not under `wanted`, in ascending ones. */
function firstAtLeast(numbers: Uint32Array, wanted: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
