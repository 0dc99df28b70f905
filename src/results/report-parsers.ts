/** The readers of reports and the keepers of what they read, as the collector is given them. */
import { normalisePaths } from "./coverage-paths.ts";
import { readCoverageReport } from "./coverage-report.ts";
import { keepCoverage } from "./kept-coverage.ts";
import { keepTests } from "./kept-tests.ts";
import { mergeCoverage } from "./merge-coverage.ts";
import type { ReportParsers } from "./step-reports.ts";
import { readTestReport } from "./test-report.ts";

export const PARSERS: ReportParsers = {
  readTestReport,
  keepTests,
  readCoverageReport,
  mergeCoverage,
  normalisePaths,
  keepCoverage,
};
