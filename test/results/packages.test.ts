/** A build's tests by package, as a thread or a mail shows them. */
import { expect, test } from "vitest";
import type { CoverageReport } from "../../src/results/coverage.ts";
import type { StepTest } from "../../src/results/kept-tests.ts";
import { packagesOf, packageTable, packageWords } from "../../src/results/packages.ts";
import type { Results } from "../../src/results/results.ts";

const MODULE = "github.com/docker/distribution";
const passed = (suite: string, durationMs = 1_500): StepTest => ({
  suite,
  name: "A",
  state: "passed",
  durationMs,
  step: "tests",
});

function resultsOf(tests: readonly StepTest[], coverage?: CoverageReport): Results {
  return {
    async *tests() {
      for (const one of tests) yield [one];
    },
    coverage: async () => coverage,
  };
}

const covered = (path: string, lines: number, of: number) => ({
  path,
  covered: lines,
  total: of,
  lines: new Uint32Array(),
  hits: new Uint32Array(),
});

test("what failed first, each with the coverage of the folder of its name", async () => {
  const tests = [
    passed(`${MODULE}/registry/storage`),
    passed(`${MODULE}/registry/handlers`),
    { ...passed(`${MODULE}/registry/storage`), name: "B", state: "failed" as const },
  ];
  const coverage = {
    unit: "statements" as const,
    files: [covered("registry/storage/blob.go", 1, 4), covered(`${MODULE}/registry/handlers/api.go`, 9, 10)],
  };
  const packages = await packagesOf(resultsOf(tests, coverage), 1);
  expect(packageWords(packages)).toBe(" in 2 packages");
  expect(packageTable(packages)).toEqual([
    "package            tests  failed  time  coverage",
    "registry/storage       2       1  3.0s     25.0%",
    "registry/handlers      1          1.5s     90.0%",
  ]);
});

test("of many there is a part, and how many more", async () => {
  const many = Array.from({ length: 100 }, (_, index) => passed(`pkg/${String(index).padStart(3, "0")}`));
  const table = packageTable(await packagesOf(resultsOf(many), 1));
  expect(table).toHaveLength(22);
  expect(table[1]).toBe("pkg/000      1          1.5s");
  expect(table.at(-1)).toBe("and 80 more");
});

test("tests of one suite have no table, and describe blocks are no packages", async () => {
  expect(packageTable(await packagesOf(resultsOf([passed("one")]), 1))).toEqual([]);
  expect(packageWords(await packagesOf(resultsOf([passed("adds"), passed("subtracts")]), 1))).toBe("");
});
