/** Several reports as one: those of several steps, or of the lanes of a matrix. */
import type { CoverageReport, FileCoverage } from "./coverage.ts";
import { BLOCK, CoveredFiles } from "./covered-file.ts";

/**
 * Adds up what was run: a line is covered where any of the reports covers it. Where some count lines and others statements, all
 * is counted in lines. Undefined for none.
 */
export function mergeCoverage(reports: readonly CoverageReport[]): CoverageReport | undefined {
  const [first, ...others] = reports;
  if (first === undefined || others.length === 0) return first;
  const unit = reports.every((report) => report.unit === "statements") ? "statements" : "lines";
  const files = new CoveredFiles();
  for (const report of reports) for (const file of report.files) addFile(files, file, unit);
  return files.finish(unit);
}

/** The same report with other paths; files that come to the same path are joined. */
export function renameFiles(report: CoverageReport, rename: (path: string) => string): CoverageReport {
  if (report.files.length === 0) return report;
  const files = new CoveredFiles();
  for (const file of report.files) addFile(files, { ...file, path: rename(file.path) }, report.unit);
  return files.finish(report.unit);
}

function addFile(files: CoveredFiles, { path, lines, hits, blocks }: FileCoverage, unit: CoverageReport["unit"]): void {
  const file = files.file(path);
  if (unit === "lines" || blocks === undefined) {
    file.addLines(lines, hits);
    return;
  }
  for (let at = 0; at < blocks.length; at += BLOCK) file.addBlock([...blocks.subarray(at, at + BLOCK)]);
}
