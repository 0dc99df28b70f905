/** A build's tests in its results folder: written in pieces, read again, summed up. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { StepId } from "../../src/names.ts";
import { keepTests, readTests, type StepTest } from "../../src/results/kept-tests.ts";
import { FAILING_KEPT, TestSummary } from "../../src/results/summary.ts";
import { mergeSummaries } from "../../src/results/tally.ts";
import type { TestCase } from "../../src/results/test-case.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const passed = (name: string, durationMs = 1): TestCase => ({ suite: "s", name, state: "passed", durationMs });
const failed = (name: string, message = "no"): TestCase => ({ ...passed(name), state: "failed", message });

async function keep(folder: string, step: string, tests: readonly TestCase[], tries = 1): Promise<TestSummary> {
  const kept = await keepTests(folder, StepId.parse(step), tries);
  await kept.add(tests);
  return kept.end();
}

async function readAll(folder: string): Promise<{ tests: StepTest[]; warnings: string[] }> {
  const tests: StepTest[] = [];
  const warnings: string[] = [];
  for await (const batch of readTests(folder, ({ file }, message) => warnings.push(`${file}: ${message}`))) {
    tests.push(...batch);
  }
  return { tests, warnings };
}

test("what was added is read again, step by step, and only of the last try", async () => {
  await using folder = await temporaryFolder();
  const results = join(folder.path, "results", "43");
  await keep(results, "tests.2", [passed("a"), failed("b")]);
  await keep(results, "tests.2", [passed("a"), passed("b")], 2);
  await keep(results, "lint", [{ ...failed("c"), file: "c.ts", line: 3 }]);
  await keep(results, "tests.10", []);
  expect(await readdir(results)).toEqual([
    "lint.tests.jsonl.gz",
    "tests.10.tests.jsonl.gz",
    "tests.2.tests-2.jsonl.gz",
    "tests.2.tests.jsonl.gz",
  ]);
  expect(await readAll(results)).toEqual({
    tests: [
      { ...failed("c"), file: "c.ts", line: 3, step: "lint" },
      { ...passed("a"), step: "tests.2" },
      { ...passed("b"), step: "tests.2" },
    ],
    warnings: [],
  });
});

test("a build without results has no tests", async () => {
  await using folder = await temporaryFolder();
  expect(await readAll(join(folder.path, "nowhere"))).toEqual({ tests: [], warnings: [] });
});

test("a file has its name only when it is whole, and one that is given up leaves nothing", async () => {
  await using folder = await temporaryFolder();
  const kept = await keepTests(folder.path, StepId.parse("tests"), 1);
  await kept.add([passed("a")]);
  expect((await readAll(folder.path)).tests).toEqual([]);
  await kept.abandon();
  expect(await readdir(folder.path)).toEqual([]);
});

test("a folder that cannot be made is trouble of ours", async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, "file"), "");
  await expect(keepTests(join(folder.path, "file", "43"), StepId.parse("tests"), 1)).rejects.toMatchObject({
    name: "RuntimeError",
    message: "the test results cannot be kept",
  });
});

test("damaged files are warned of, and the others are read", async () => {
  await using folder = await temporaryFolder();
  await keep(folder.path, "whole", [passed("a")]);
  await keep(folder.path, "cut", [passed("a"), passed("b")]);
  const cut = join(folder.path, "cut.tests.jsonl.gz");
  await writeFile(cut, (await readFile(cut)).subarray(0, 20));
  await writeFile(join(folder.path, "garbage.tests.jsonl.gz"), "no gzip at all");
  await writeFile(join(folder.path, "strange.tests.jsonl.gz"), gzipSync('{"suite":1}\n'));
  await mkdir(join(folder.path, "folder.tests.jsonl.gz"));
  await writeFile(join(folder.path, "notes.txt"), "none of ours");
  expect(await readAll(folder.path)).toEqual({
    tests: [{ ...passed("a"), step: "whole" }],
    warnings: ["cut", "folder", "garbage", "strange"].map(
      (step) => `${step}.tests.jsonl.gz: kept tests cannot be read`,
    ),
  });
});

test("the summary counts all, names up to a thousand failing tests in order, and the five slowest", async () => {
  await using folder = await temporaryFolder();
  const failing = Array.from({ length: 1_500 }, (_, index) => failed(`t${String(index).padStart(4, "0")}`));
  const summary = await keep(folder.path, "tests", [
    ...failing.toReversed(),
    ...[3, 9, 1, 7, 5, 8, 2].map((seconds) => passed(`p${seconds}`, seconds * 1_000)),
    { ...passed("skipped", 0), state: "skipped" },
    { ...passed("unsteady"), flaky: true },
  ]);
  expect(TestSummary.parse(summary)).toEqual(summary);
  expect(summary).toMatchObject({ total: 1_509, failed: 1_500, skipped: 1, durationMs: 36_501 });
  expect(summary.failing).toHaveLength(1_000);
  expect(summary.failing.slice(0, 2)).toEqual([
    { suite: "s", name: "t0500", message: "no" },
    { suite: "s", name: "t0501", message: "no" },
  ]);
  expect(summary.slowest.map(({ name }) => name)).toEqual(["p9", "p8", "p7", "p5", "p3"]);
  expect(summary.flaky).toEqual([{ suite: "s", name: "unsteady" }]);
  expect(
    gunzipSync(await readFile(join(folder.path, "tests.tests.jsonl.gz")))
      .toString()
      .split("\n"),
  ).toHaveLength(1_510);
});

test("summaries of lanes become one: counts are added, a test is named once, in one order", async () => {
  await using folder = await temporaryFolder();
  const many = Array.from({ length: 30 }, (_, index) => failed(`m${String(index).padStart(2, "0")}`));
  const first = await keep(folder.path, "tests.1", [failed("b"), passed("slow", 900), failed("a", "of lane 1")]);
  const second = await keep(folder.path, "tests.2", [failed("a", "of lane 2"), passed("slow", 700), passed("x", 800)]);
  const third = await keep(folder.path, "tests.3", many);
  expect(mergeSummaries([])).toMatchObject({ total: 0, failing: [], slowest: [] });
  const merged = mergeSummaries([first, second]);
  expect(merged).toMatchObject({ total: 6, failed: 3, skipped: 0 });
  expect(merged.failing.map(({ name, message }) => [name, message])).toEqual([
    ["a", "of lane 1"],
    ["b", "no"],
  ]);
  expect(merged.slowest.map(({ name, durationMs }) => [name, durationMs])).toEqual([
    ["slow", 900],
    ["x", 800],
    ["a", 1],
    ["b", 1],
  ]);
  const all = mergeSummaries([third, second, first]);
  expect(all.failed).toBe(33);
  expect(all.failing).toHaveLength(FAILING_KEPT);
  expect(all.failing.map(({ name }) => name).slice(0, 3)).toEqual(["a", "b", "m00"]);
});
