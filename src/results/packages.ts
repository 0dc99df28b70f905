/** A build's tests by suite, with the coverage of the folder of that name: the table behind a result. */
import { formatCount, formatDuration } from "../units.ts";
import type { CoverageReport } from "./coverage.ts";
import { byFolder } from "./coverage-folders.ts";
import { percentWords } from "./coverage-words.ts";
import type { Results } from "./results.ts";
import { type BuildResults, PACKAGES_KEPT, type PackageResult } from "./summary.ts";
import { suiteLabel } from "./test-case.ts";

/** A report with more suites than this is one of single tests; its table would say nothing. */
const SUITES_MAX = 5_000;
/** Of a table in a chat's thread or a mail. */
const ROWS_SHOWN = 20;
const NAME_LENGTH = 48;

type Packages = NonNullable<BuildResults["packages"]>;

/** Undefined where all tests stand in one suite, or there are too many. */
export async function packagesOf(results: Results, number: number): Promise<Packages | undefined> {
  const suites = new Map<string, { tests: number; failed: number; durationMs: number }>();
  for await (const batch of results.tests(number)) {
    for (const { suite, state, durationMs } of batch) {
      const known = suites.get(suite) ?? { tests: 0, failed: 0, durationMs: 0 };
      known.tests += 1;
      known.failed += state === "failed" ? 1 : 0;
      known.durationMs += durationMs;
      suites.set(suite, known);
    }
    if (suites.size > SUITES_MAX) return undefined;
  }
  if (suites.size < 2) return undefined;
  const coverage = foldersOf(await results.coverage(number));
  const all = [...suites].map(([suite, counts]): PackageResult => {
    const name = suiteLabel(suite);
    const covered = coverage.get(name);
    return { name, ...counts, ...(covered === undefined ? {} : { coverage: covered }) };
  });
  const word = [...suites.keys()].every((suite) => suite.includes("/")) ? "packages" : "suites";
  return { word, count: all.length, shown: all.toSorted(byInterest).slice(0, PACKAGES_KEPT) };
}

function foldersOf(report: CoverageReport | undefined): Map<string, { covered: number; total: number }> {
  if (report === undefined) return new Map();
  return new Map(byFolder(report).map(({ path, covered, total }) => [suiteLabel(path), { covered, total }]));
}

/** What failed first, then in the order of names. */
function byInterest(a: PackageResult, b: PackageResult): number {
  return b.failed - a.failed || (a.name < b.name ? -1 : 1);
}

/** ` in 31 packages`; suites are not counted in a line of chat, where nobody knows what is one. */
export function packageWords(packages: Packages | undefined): string {
  return packages?.word === "packages" ? ` in ${formatCount(packages.count)} packages` : "";
}

/** The table in a fixed pitch, for where there is room; empty without packages. */
export function packageTable(packages: Packages | undefined): string[] {
  if (packages === undefined) return [];
  const shown = packages.shown.slice(0, ROWS_SHOWN);
  const hasCoverage = shown.some(({ coverage }) => coverage !== undefined);
  const rows = shown.map(({ name, tests, failed, durationMs, coverage }) => [
    name.length > NAME_LENGTH ? `…${name.slice(1 - NAME_LENGTH)}` : name,
    formatCount(tests),
    failed === 0 ? "" : formatCount(failed),
    formatDuration(durationMs),
    ...(hasCoverage ? [coverage === undefined ? "" : percentWords(coverage)] : []),
  ]);
  const head = [
    packages.word === "packages" ? "package" : "suite",
    "tests",
    "failed",
    "time",
    ...(hasCoverage ? ["coverage"] : []),
  ];
  const left = packages.count - shown.length;
  return [...aligned([head, ...rows]), ...(left > 0 ? [`and ${formatCount(left)} more`] : [])];
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => [...(row[column] ?? "")].length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}
