/** The test and coverage reports of one step, read as they come out of its container, masked and kept. */
import type { Readable } from "node:stream";
import { describeError, RuntimeError } from "../errors.ts";
import type { StepId } from "../names.ts";
import type { Mask } from "../pipeline/masking.ts";
import { formatBytes, formatCount } from "../units.ts";
import { BrokenReport } from "./broken-report.ts";
import type { Reader } from "./copied-files.ts";
import type { CoverageReport, CoverageTotals } from "./coverage.ts";
import { normalisePaths } from "./coverage-paths.ts";
import { readCoverageReport } from "./coverage-report.ts";
import type { StepFindings } from "./findings.ts";
import { keepCoverage } from "./kept-coverage.ts";
import { type KeptTests, keepTests } from "./kept-tests.ts";
import { mergeCoverage, renameFiles } from "./merge-coverage.ts";
import { pathBelow } from "./path-pattern.ts";
import type { TestCase } from "./test-case.ts";
import { readTestReport } from "./test-report.ts";
import type { Warnings } from "./warnings.ts";

export interface ReportLimits {
  readonly files: number;
  readonly bytesEach: number;
  readonly bytes: number;
}

/** Who reads and keeps the reports themselves. All readers throw BrokenReport for what is wrong with a file. */
export interface ReportParsers {
  readTestReport(source: Readable): AsyncGenerator<readonly TestCase[]>;
  keepTests(folder: string, step: StepId, tries: number): Promise<KeptTests>;
  readCoverageReport(source: Readable): Promise<CoverageReport>;
  /** Counts of the same file are added; undefined for no report at all. */
  mergeCoverage(reports: readonly CoverageReport[]): CoverageReport | undefined;
  /** Paths of the repository in the place of those that a tool wrote. */
  normalisePaths(report: CoverageReport, files: ReadonlySet<string>): CoverageReport;
  keepCoverage(folder: string, step: StepId, report: CoverageReport): Promise<CoverageTotals>;
}

export const REPORT_PARSERS: ReportParsers = {
  readTestReport,
  keepTests,
  readCoverageReport,
  mergeCoverage,
  normalisePaths,
  keepCoverage,
};

export interface StepReports {
  /** A reader for a file of this size, or none, with a warning, where it is too much. */
  testReader(name: string, bytes: number): Reader[];
  coverageReader(name: string, bytes: number): Reader[];
  /** Keeps what was read. @throws RuntimeError when the disk fails. */
  end(): Promise<Pick<StepFindings, "tests" | "testsIncomplete" | "coverage">>;
  abandon(): Promise<void>;
}

export interface StepReportsOptions {
  readonly folder: string;
  readonly step: StepId;
  readonly tries: number;
  readonly mask: Mask;
  readonly limits: ReportLimits;
  readonly parsers: ReportParsers;
  readonly warnings: Warnings;
  /** Of the container: tools write it before the paths of sources. */
  readonly workingDirectory: string;
  readonly repositoryFiles: ReadonlySet<string> | undefined;
}

/** What was read of a report before it broke is kept. */
export function readStepReports(options: StepReportsOptions): StepReports {
  const { folder, step, tries, mask, limits, parsers, warnings, workingDirectory, repositoryFiles } = options;
  const coverage: CoverageReport[] = [];
  let files = 0;
  let bytes = 0;
  let tests: Promise<KeptTests> | undefined;
  let isIncomplete = false;
  let adding: Promise<void> = Promise.resolve();

  const fits = (name: string, size: number): boolean => {
    if (size > limits.bytesEach) {
      const sizes = `takes ${formatBytes(size)}, and a report may take at most ${formatBytes(limits.bytesEach)}`;
      warnings.add(name, `${sizes}; it was not read`);
      return false;
    }
    if (files >= limits.files) {
      warnings.add(step, `has more than ${formatCount(limits.files)} reports; the rest was not read`);
      return false;
    }
    if (bytes + size > limits.bytes) {
      warnings.add(name, `was not read, as the reports of a step may take at most ${formatBytes(limits.bytes)}`);
      return false;
    }
    files += 1;
    bytes += size;
    return true;
  };

  /** Reports may be read side by side; the file takes one batch after the other. */
  const add = (batch: readonly TestCase[]): Promise<void> => {
    tests ??= parsers.keepTests(folder, step, tries);
    const opened = tests;
    adding = adding.then(async () => (await opened).add(batch));
    return adding;
  };

  const withoutFolder = (path: string): string =>
    mask.text(pathBelow(path, workingDirectory) || path.replace(/^(?:\.\/)+/, ""));

  const masked = (test: TestCase): TestCase => ({
    ...test,
    suite: mask.text(test.suite),
    name: mask.text(test.name),
    ...(test.file === undefined ? {} : { file: withoutFolder(test.file) }),
    ...(test.message === undefined ? {} : { message: mask.text(test.message) }),
  });

  /** What is wrong with a report is a warning; a disk that fails, or a container that cannot be read on, is not its fault. */
  const reader =
    (name: string, read: Reader): Reader =>
    async (content) => {
      try {
        await read(content);
      } catch (error) {
        if (error instanceof RuntimeError || content.errored !== null) throw error;
        const what = error instanceof BrokenReport ? error.message : `cannot be read (${describeError(error)})`;
        warnings.add(name, what);
      }
    };

  return {
    testReader(name, size) {
      if (!fits(name, size)) {
        isIncomplete = true;
        return [];
      }
      const read: Reader = async (content) => {
        try {
          for await (const batch of parsers.readTestReport(content)) await add(batch.map(masked));
        } catch (error) {
          isIncomplete = true;
          throw error;
        }
        // A whole report without a test in it is a result too.
        await add([]);
      };
      return [reader(name, read)];
    },
    coverageReader(name, size) {
      if (!fits(name, size)) return [];
      const read: Reader = async (content) => {
        coverage.push(await parsers.readCoverageReport(content));
      };
      return [reader(name, read)];
    },
    async end() {
      const summary = await (await tests)?.end();
      const told = { tests: summary, ...(isIncomplete ? { testsIncomplete: true } : {}) };
      const whole = parsers.mergeCoverage(coverage);
      if (whole === undefined) return { ...told, coverage: undefined };
      const report = renameFiles(whole, withoutFolder);
      const known = repositoryFiles === undefined ? report : parsers.normalisePaths(report, repositoryFiles);
      return { ...told, coverage: await parsers.keepCoverage(folder, step, known) };
    },
    async abandon() {
      await (await tests)?.abandon();
    },
  };
}
