/** What builds left behind, read from the data folder. */
import { join } from "node:path";
import type { CoverageReport } from "./coverage.ts";
import { readCoverage } from "./kept-coverage.ts";
import { readTests, type StepTest, type Warn } from "./kept-tests.ts";

export interface Results {
  /** The tests of a build, some at a time, each with its step; nothing where the build has no test report. */
  tests(number: number): AsyncIterable<readonly StepTest[]>;
  /** Of all its steps and lanes together; undefined where the build has no coverage, or has not kept it. */
  coverage(number: number): Promise<CoverageReport | undefined>;
}

/** Where what the steps of a build left behind is kept. */
export function resultsFolder(dataDir: string, number: number): string {
  return join(dataDir, "docker-ci", "results", String(number));
}

export function openResults(dataDir: string, warn: Warn): Results {
  return {
    tests: (number) => readTests(resultsFolder(dataDir, number), warn),
    coverage: (number) => readCoverage(resultsFolder(dataDir, number), warn),
  };
}
