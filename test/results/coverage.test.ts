/** Coverage as it is kept, put together, compared and judged. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import type { Build } from "../../src/builds/build.ts";
import { BuildNumber, GitRef, Sha, StepId } from "../../src/names.ts";
import { type CoverageTotals, totalsOf } from "../../src/results/coverage.ts";
import { coverageChange } from "../../src/results/coverage-change.ts";
import { byFolder, leastCovered } from "../../src/results/coverage-folders.ts";
import { createMarkerScan, markerFolder, markerProject } from "../../src/results/coverage-markers.ts";
import { normalisePaths } from "../../src/results/coverage-paths.ts";
import { readCoverageReport } from "../../src/results/coverage-report.ts";
import { judgeCoverage } from "../../src/results/coverage-thresholds.ts";
import { coverageWords, patchWords } from "../../src/results/coverage-words.ts";
import { keepCoverage, readCoverage } from "../../src/results/kept-coverage.ts";
import { patchCoverage } from "../../src/results/patch-coverage.ts";
import { openResults, resultsFolder } from "../../src/results/results.ts";
import type { CoverageResult } from "../../src/results/summary.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const reportOf = (text: string) => readCoverageReport(Readable.from([Buffer.from(text)]));
const lcovOf = (files: Readonly<Record<string, readonly number[]>>) =>
  reportOf(
    `TN:\n${Object.entries(files)
      .map(
        ([path, hits]) => `SF:${path}\n${hits.map((count, at) => `DA:${at + 1},${count}\n`).join("")}end_of_record\n`,
      )
      .join("")}`,
  );
const step = (id: string) => StepId.parse(id);
const never = () => {
  throw new Error("nothing to be warned of");
};
const totals = (covered: number, total = 1_000): CoverageTotals => ({ unit: "lines", covered, total });

describe("kept coverage", () => {
  test("is read again as it was, from where the commands look for it", async () => {
    await using data = await temporaryFolder();
    const report = await reportOf("mode: count\nm/b.go:1.1,3.2 2 7\nm/a.go:1.1,1.9 1 0\n");
    expect(await keepCoverage(resultsFolder(data.path, 42), step("tests"), report)).toEqual({
      unit: "statements",
      covered: 2,
      total: 3,
    });
    const results = openResults(data.path, never);
    expect(await results.coverage(42)).toEqual(report);
    expect(await results.coverage(43)).toBeUndefined();
  });

  test("of several steps and lanes is added up; of a step that was run again the last counts", async () => {
    await using folder = await temporaryFolder();
    await keepCoverage(folder.path, step("tests.1"), await lcovOf({ "a.c": [1, 1, 1, 1] }));
    await keepCoverage(folder.path, step("tests.1"), await lcovOf({ "a.c": [1, 0, 0] }));
    await keepCoverage(folder.path, step("tests.2"), await lcovOf({ "a.c": [2, 3, 0], "b.c": [0] }));
    const report = await readCoverage(folder.path, never);
    expect(report?.files.map(({ path, covered, total, hits }) => [path, covered, total, ...hits])).toEqual([
      ["a.c", 2, 3, 3, 3, 0],
      ["b.c", 0, 1, 0],
    ]);
  });

  test("of Go's lanes is added up by statement, and by line beside another language's", async () => {
    await using folder = await temporaryFolder();
    await keepCoverage(
      folder.path,
      step("go.1"),
      await reportOf("mode: set\nm/a.go:1.1,2.2 5 1\nm/a.go:3.1,3.9 3 0\n"),
    );
    await keepCoverage(
      folder.path,
      step("go.2"),
      await reportOf("mode: set\nm/a.go:1.1,2.2 5 0\nm/a.go:3.1,3.9 3 1\n"),
    );
    const both = await readCoverage(folder.path, never);
    expect(both && totalsOf(both)).toEqual({ unit: "statements", covered: 8, total: 8 });
    await keepCoverage(folder.path, step("web"), await lcovOf({ "a.js": [1, 0] }));
    const all = await readCoverage(folder.path, never);
    expect(all && totalsOf(all)).toEqual({ unit: "lines", covered: 4, total: 5 });
  });

  test("that is damaged is left out and told of", async () => {
    await using folder = await temporaryFolder();
    await keepCoverage(folder.path, step("good"), await lcovOf({ "a.c": [1] }));
    await keepCoverage(folder.path, step("bad"), await lcovOf({ "b.c": [1] }));
    const name = (await readdir(folder.path)).find((each) => each.startsWith("bad")) ?? "";
    const bytes = await readFile(join(folder.path, name));
    await writeFile(join(folder.path, name), bytes.subarray(0, bytes.length - 12));
    const warned: string[] = [];
    const report = await readCoverage(folder.path, ({ file }) => warned.push(file));
    expect([report?.files.map(({ path }) => path), warned]).toEqual([["a.c"], [name]]);
  });

  test("of a file with 50,000 lines is read again", async () => {
    await using folder = await temporaryFolder();
    const report = await lcovOf({ "a.c": Array.from({ length: 50_000 }, (_, index) => index) });
    await keepCoverage(folder.path, step("tests"), report);
    expect(await readCoverage(folder.path, never)).toEqual(report);
  });
});

test("paths become the repository's: absolute ones, Go's imports, those that begin in a folder", async () => {
  const report = await lcovOf({
    "/workspace/src/a.js": [1],
    "C:\\build\\src\\b.js": [1],
    "github.com/example/accounts/ledger/ledger.go": [1],
    "basket.py": [1],
    "index.js": [1],
    "generated/z.js": [1],
    "src/c.js": [1],
    "/other/src/c.js": [0],
  });
  const files = [
    "src/a.js",
    "a.js",
    "src/b.js",
    "src/c.js",
    "ledger/ledger.go",
    "shop/basket.py",
    "x/index.js",
    "y/index.js",
  ];
  const paths = normalisePaths(report, new Set(files)).files.map(({ path, hits }) => `${path} ${hits[0]}`);
  expect(paths).toEqual([
    "generated/z.js 1",
    // Two have that name.
    "index.js 1",
    "ledger/ledger.go 1",
    "shop/basket.py 1",
    "src/a.js 1",
    "src/b.js 1",
    "src/c.js 1",
  ]);
});

test("folders have their own files' totals, the least covered first", async () => {
  const folders = byFolder(await lcovOf({ "a.c": [1], "src/b.c": [1, 0], "src/c.c": [0, 0], "src/x/d.c": [1, 0, 0] }));
  expect(leastCovered(folders).map(({ path, covered, total }) => [path, covered, total])).toEqual([
    ["src", 1, 4],
    ["src/x", 1, 3],
    [".", 1, 1],
  ]);
});

test("of a change the lines with code count", async () => {
  const report = await reportOf("TN:\nSF:a.c\nDA:2,1\nDA:3,0\nDA:5,4\nDA:9,0\nend_of_record\n");
  const changed = (ranges: readonly (readonly [number, number])[]) => patchCoverage(report, new Map([["a.c", ranges]]));
  expect(
    changed([
      [1, 4],
      [9, 20],
    ]),
  ).toEqual({ covered: 1, total: 3 });
  expect(changed([[6, 8]])).toEqual({ covered: 0, total: 0 });
  expect(patchCoverage(report, new Map([["b.c", [[1, 9]]]]))).toEqual({ covered: 0, total: 0 });
});

describe("a build's coverage is compared with", () => {
  const sha = (digit: string) => Sha.parse(digit.repeat(40));
  const branch = GitRef.parse("main");
  const build = (number: number, ref: string, digit: string, covered?: number, more: object = {}): Build =>
    // Only what the comparison looks at.
    Object.assign(Object.create(null), {
      number,
      project: "docker",
      revision: { sha: sha(digit), kind: "branch", ref },
      state: { kind: "passed" },
      results: covered === undefined ? {} : { coverage: { totals: totals(covered), change: { kind: "missing" } } },
      ...more,
    });
  const compare = (of: Build, history: Build[], mergeBase?: Sha) =>
    coverageChange({ build: of, branch, mergeBase, history: [of, ...history] });

  test("the one before it, on the main branch, so that a second build of one revision changes nothing", () => {
    const history = [
      build(44, "feature", "c", 900),
      build(43, "main", "b", 800, { onlySteps: ["tests"] }),
      build(42, "main", "b", undefined),
      build(41, "main", "b", 619),
      build(40, "main", "a", 500),
    ];
    const change = compare(build(45, "main", "b", 619), history);
    expect(change).toEqual({ kind: "since", build: 41, totals: totals(619) });
    expect(coverageWords({ totals: totals(619), change })).toBe("coverage 61.9% (±0.0)");
  });

  test("the build of its merge base, on another branch, or with none", () => {
    const history = [build(44, "main", "b", 700), build(43, "feature", "d", 650), build(41, "main", "a", 617)];
    const feature = build(45, "feature", "c", 619);
    expect(compare(feature, history, sha("a"))).toEqual({ kind: "since", build: 41, totals: totals(617) });
    const missing = compare(feature, history, sha("9"));
    expect(missing).toEqual({ kind: "missing", sha: sha("9") });
    expect(coverageWords({ totals: totals(619), change: missing })).toBe(
      "coverage 61.9% (no build of 9999999 to compare with)",
    );
    expect(compare(feature, history, undefined)).toEqual({ kind: "missing" });
    // What was tested then was that commit merged into another.
    const pullRequest = {
      sha: sha("a"),
      kind: "pull_request",
      ref: "main",
      pullRequest: { number: 7, base: sha("e") },
    };
    const other = build(44, "main", "a", 999, { revision: pullRequest });
    expect(compare(feature, [other, ...history], sha("a"))).toMatchObject({ build: 41 });
  });

  test("no part of a build: tests that failed, a build under way, another project's", () => {
    const partial: CoverageResult = { totals: totals(10), change: { kind: "missing" }, partial: true };
    const history = [
      build(44, "main", "b", undefined, { results: { coverage: partial } }),
      build(43, "main", "b", 700, { state: { kind: "running" } }),
      build(42, "main", "b", 700, { project: "hello" }),
    ];
    expect(compare(build(45, "main", "b", 619), history)).toEqual({ kind: "missing" });
  });
});

test.each<[number, CoverageResult["change"], string]>([
  [619, { kind: "since", build: BuildNumber.parse(41), totals: totals(617) }, "coverage 61.9% (+0.2)"],
  [605, { kind: "since", build: BuildNumber.parse(41), totals: totals(619) }, "coverage 60.5% (-1.4)"],
  [619, { kind: "missing" }, "coverage 61.9%"],
  [1_000, { kind: "missing" }, "coverage 100.0%"],
])("%d of a thousand lines is said as in FACE.md", (covered, change, words) => {
  expect(coverageWords({ totals: totals(covered), change })).toBe(words);
});

test("what is nearly all is not rounded up, and what is a part says so", () => {
  expect(coverageWords({ totals: totals(99_999, 100_000), change: { kind: "missing" }, partial: true })).toBe(
    "coverage 99.9% (in part)",
  );
  expect(coverageWords({ totals: totals(0, 0), change: { kind: "missing" } })).toBe("coverage nothing to cover");
  expect(patchWords({ patch: { covered: 9, total: 12 } })).toBe("patch 9 of 12 lines (75.0%)");
  expect(patchWords({ patch: { covered: 0, total: 0 } })).toBe("");
});

describe("thresholds", () => {
  const judge = (covered: number, thresholds: { failUnder?: number; maxDrop?: number }, before?: CoverageTotals) =>
    judgeCoverage({ failUnder: thresholds.failUnder, maxDrop: thresholds.maxDrop }, totals(covered), before);

  test.each([
    [582, { failUnder: 60 }, undefined, "coverage 58.2% is under 60% (fail_under)"],
    [600, { failUnder: 60 }, undefined, undefined],
    [605, { maxDrop: 1 }, totals(619), "coverage fell by 1.4 to 60.5%, allowed 1 (max_drop)"],
    [609, { maxDrop: 1 }, totals(619), undefined],
    [699, { maxDrop: 0 }, totals(700), "coverage fell by 0.1 to 69.9%, allowed 0 (max_drop)"],
    [700, { maxDrop: 0 }, totals(700), undefined],
    [500, { maxDrop: 1 }, undefined, undefined],
    [100, {}, totals(900), undefined],
  ])("%d of a thousand lines", (covered, thresholds, before, sentence) => {
    expect(judge(covered, thresholds, before)).toBe(sentence);
  });

  test("no sentence says that a number is under itself", () => {
    const sentence = judgeCoverage({ failUnder: 60, maxDrop: undefined }, totals(59_999, 100_000), undefined);
    expect(sentence).toBe("coverage 59.999% is under 60% (fail_under)");
    expect(judgeCoverage({ failUnder: 60, maxDrop: undefined }, totals(0, 0), undefined)).toBeUndefined();
  });
});

describe("O-60: the markers of the original's scripts", () => {
  const scanned = (...pieces: string[]) => {
    const scan = createMarkerScan();
    for (const piece of pieces) scan.push(Buffer.from(piece));
    return scan.markers();
  };

  test.each([
    ["COVERAGE_PATH=docker-20140301120000\n", [{ kind: "path", name: "docker-20140301120000" }]],
    ["+ COVERAGE_FILE=docker-registry-20140301120000\n", [{ kind: "file", name: "docker-registry-20140301120000" }]],
    ["+++ export COVERAGE_PATH='docker-1'\r\n", [{ kind: "path", name: "docker-1" }]],
    ["ok\nCOVERAGE_FILE=a-1", [{ kind: "file", name: "a-1" }]],
    ["COVERAGE_PATH=$(date)\nCOVERAGE_PATH=../../etc\nCOVERAGE_PATH=\nsays COVERAGE_PATH=a-1\n", []],
    [`${"x".repeat(1_000)}\n+ COVERAGE_PATH=a-2\n`, [{ kind: "path", name: "a-2" }]],
    ["COVERAGE_PATH=a-1\nCOVERAGE_PATH=a-1\n", [{ kind: "path", name: "a-1" }]],
    [`COVERAGE_PATH=${"a".repeat(5_000)}\n`, []],
  ])("%j", (output, markers) => {
    expect(scanned(output)).toEqual(markers);
    expect(scanned(...output)).toEqual(markers);
  });

  test("name a folder under /data, and a project: O-62", () => {
    expect(markerFolder({ kind: "path", name: "docker-registry-20140301120000" })).toBe(
      "/data/docker-registry-20140301120000",
    );
    expect(markerProject("docker-registry-20140301120000")).toBe("docker-registry");
    expect(markerProject("docker-20140301-2")).toBe("docker");
    expect(markerProject("docker")).toBeUndefined();
  });
});
