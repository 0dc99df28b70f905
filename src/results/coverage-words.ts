/** Coverage as a line of a chat says it: `coverage 61.9% (+0.2)`. */
import { type CoverageTotals, coveragePercent } from "./coverage.ts";
import type { CoverageResult } from "./summary.ts";

const SHORT_SHA = 7;

/** `61.9%`; of sources without anything to cover `nothing to cover`. */
export function percentWords(totals: Pick<CoverageTotals, "covered" | "total">): string {
  const percent = coveragePercent(totals);
  return percent === undefined ? "nothing to cover" : `${shown(percent)}%`;
}

/** `+0.2`, `-1.4`, `±0.0`: of the percentages as they are, not as they are shown. */
function differenceWords(percentagePoints: number): string {
  const amount = Math.abs(percentagePoints).toFixed(1);
  if (amount === "0.0") return "±0.0";
  return `${percentagePoints < 0 ? "-" : "+"}${amount}`;
}

/** What stands in brackets behind the percentage; "" where there is nothing to say. */
export function changeWords({ totals, change }: Pick<CoverageResult, "totals" | "change">): string {
  if (change.kind === "missing") {
    return change.sha === undefined ? "" : `no build of ${change.sha.slice(0, SHORT_SHA)} to compare with`;
  }
  const now = coveragePercent(totals);
  const before = coveragePercent(change.totals);
  return now === undefined || before === undefined ? "" : differenceWords(now - before);
}

/** `coverage 61.9% (+0.2)`, `coverage 61.9% (no build of 0d6b721 to compare with)`, `coverage 61.9% (±0.0, in part)`. */
export function coverageWords(result: CoverageResult): string {
  const part = result.partial === true ? "in part" : "";
  const remarks = [changeWords(result), part].filter((remark) => remark !== "").join(", ");
  return `coverage ${percentWords(result.totals)}${remarks === "" ? "" : ` (${remarks})`}`;
}

/** `patch 9 of 12 lines (75.0%)`; "" where the change has no line to cover. */
export function patchWords({ patch }: Pick<CoverageResult, "patch">): string {
  if (patch === undefined || patch.total === 0) return "";
  return `patch ${patch.covered} of ${patch.total} lines (${percentWords(patch)})`;
}

/** One decimal; what is not whole is never rounded up to 100. */
function shown(percent: number): string {
  return (percent < 100 ? Math.min(percent, 99.9) : percent).toFixed(1);
}
