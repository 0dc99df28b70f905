/** `!tests`, with real records and the kept tests of two builds. */
import { rm } from "node:fs/promises";
import { expect, test } from "vitest";
import type { Build } from "../../src/builds/build.ts";
import { StepId, StepName } from "../../src/names.ts";
import { asComparison, compareTests } from "../../src/results/compare-tests.ts";
import { keepTests } from "../../src/results/kept-tests.ts";
import { openResults, resultsFolder } from "../../src/results/results.ts";
import type { TestSummary } from "../../src/results/summary.ts";
import { mergeSummaries } from "../../src/results/tally.ts";
import type { TestCase } from "../../src/results/test-case.ts";
import { ago, CONFIG, configOf, openRecords, type Records } from "../support/records.ts";
import { openTalk } from "../support/talk.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const HANDLERS = "github.com/distribution/distribution/v3/registry/handlers";
const failing = (name: string, message: string): TestCase => ({
  suite: HANDLERS,
  name,
  state: "failed",
  durationMs: 20,
  message,
});
const passing = (name: string, durationMs = 10): TestCase => ({ suite: HANDLERS, name, state: "passed", durationMs });

async function keep(records: Records, number: number, tests: readonly TestCase[]): Promise<TestSummary> {
  const kept = await keepTests(resultsFolder(records.config.dataDir, number), StepId.parse("tests"), 1);
  await kept.add(tests);
  return kept.end();
}

/** A build that is over, with these tests, compared with an earlier one. */
async function ran(records: Records, tests: readonly TestCase[], against?: Build): Promise<Build> {
  const build = await records.begin(await records.create());
  const summary = mergeSummaries([await keep(records, build.number, tests)]);
  const kept = openResults(records.config.dataDir, () => undefined);
  const compared =
    against === undefined
      ? undefined
      : asComparison(await compareTests(kept.tests(against.number), kept.tests(build.number)), against.number);
  const state = { kind: "passed", startedAt: ago(60), finishedAt: ago(0) } as const;
  const results = { tests: summary, ...(compared && { comparison: compared }) };
  const ended = await records.store.transition({ ...build, results }, state);
  if (ended === undefined) throw new Error("somebody else was quicker");
  return ended;
}

async function openSite(): Promise<{ records: Records; ask(line: string): Promise<string[]> } & AsyncDisposable> {
  const folder = await temporaryFolder();
  const records = await openRecords(configOf(CONFIG, folder.path));
  const talk = openTalk(records);
  return {
    records,
    ask: (line) => talk.ask(line),
    async [Symbol.asyncDispose]() {
      await records[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const BEFORE = [
  passing("TestBlobUpload"),
  passing("TestTags"),
  failing("TestCatalog", "old"),
  failing("TestMend", "x"),
];
const NOW = [
  failing("TestBlobUpload", "api_test.go:512: expected 201, got 500\nand more"),
  failing("TestCatalog", "catalog_test.go:40: no such blob"),
  passing("TestMend", 4_100),
  passing("TestNew", 900),
  { ...passing("TestS3"), state: "skipped" } as const,
];

test("one line says it all, then the newly failing tests with what each says", async () => {
  await using site = await openSite();
  const before = await ran(site.records, BEFORE);
  await ran(site.records, NOW, before);
  expect(await site.ask("!tests 2")).toEqual([
    "✘ docker-registry #2 2 of 5 tests failed · 1 skipped · compared with #1: 1 newly failing, 1 still failing, 1 fixed, 2 new, 1 gone · https://ci.example.org/builds/2",
    "newly failing: registry/handlers › TestBlobUpload: api_test.go:512: expected 201, got 500",
    "still failing: registry/handlers › TestCatalog: catalog_test.go:40: no such blob",
  ]);
});

test.each([
  ["slow", ["4.1s registry/handlers › TestMend", "0.9s registry/handlers › TestNew"]],
  ["fixed", ["fixed: registry/handlers › TestMend"]],
  ["new", ["new: registry/handlers › TestNew", "new: registry/handlers › TestS3"]],
  ["gone", ["gone: registry/handlers › TestTags"]],
])("!tests 2 %s", async (show, lines) => {
  await using site = await openSite();
  await ran(site.records, NOW, await ran(site.records, BEFORE));
  const [, ...shown] = await site.ask(`!tests #2 ${show}`);
  expect(shown.slice(0, lines.length)).toEqual(lines);
});

test("never more than five lines", async () => {
  await using site = await openSite();
  const before = await ran(site.records, []);
  const many = Array.from({ length: 60 }, (_, index) => failing(`Test${index + 10}`, "no\u0007"));
  await ran(site.records, many, before);
  await rm(resultsFolder(site.records.config.dataDir, 1), { recursive: true });
  // The tests of #1 are gone: what the records say is what is known.
  const lines = await site.ask("!tests 2");
  expect(lines).toHaveLength(5);
  expect(lines.at(-1)).toBe("and 57 more");
  expect(await site.ask("!tests 2 new")).toContain("their names are not kept here any more");
});

test("a build that changed nothing", async () => {
  await using site = await openSite();
  const before = await ran(site.records, [passing("TestA")]);
  await ran(site.records, [passing("TestA")], before);
  expect(await site.ask("!tests 2")).toEqual([
    "✔ docker-registry #2 1 test, none failed · compared with #1: no change · https://ci.example.org/builds/2",
  ]);
  expect(await site.ask("!tests 2 fixed")).toContain("no test is fixed");
  expect(await site.ask("!tests 1 fixed")).toEqual(["The tests of #1 are not compared with those of another build."]);
});

test("a build under way has the tests of the steps that are over", async () => {
  await using site = await openSite();
  const build = await site.records.begin(await site.records.create());
  expect(await site.ask("!tests 1")).toEqual([
    "docker-registry #1 has no test report yet · https://ci.example.org/builds/1",
  ]);
  const tests = await keep(site.records, 1, [failing("TestA", "no")]);
  const step = { name: StepName.parse("tests"), kind: "run", state: "failed", durationMs: 1, tests } as const;
  await site.records.store.transition(build, build.state, { steps: [step] });
  expect(await site.ask("!tests 1")).toEqual([
    "✘ docker-registry #1 1 of 1 test failed · https://ci.example.org/builds/1",
    "registry/handlers › TestA: no",
  ]);
});

test("a build without a report says how to get one, or what was wrong with it", async () => {
  await using site = await openSite();
  const over = { kind: "passed", startedAt: ago(60), finishedAt: ago(0) } as const;
  await site.records.end(await site.records.begin(await site.records.create()), over);
  expect(await site.ask("!tests 1")).toEqual([
    "docker-registry #1 has no test report · tests: in .docker-ci.yml names the files that a step writes, JUnit XML or go test -json · https://ci.example.org/builds/1",
  ]);
  const warnings = ["reports/junit.xml: is cut off at line 812"];
  const step = { name: StepName.parse("tests"), kind: "run", state: "passed", durationMs: 1, warnings } as const;
  await site.records.end(await site.records.begin(await site.records.create()), over, { steps: [step] });
  expect(await site.ask("!tests 2")).toEqual([
    "docker-registry #2 has no test report · reports/junit.xml: is cut off at line 812 · https://ci.example.org/builds/2",
  ]);
});

test("a word that it does not know is answered with those it does", async () => {
  await using site = await openSite();
  await ran(site.records, [passing("TestA")]);
  expect((await site.ask("!tests 1 slowest")).join()).toContain("failed, slow, new, fixed or gone");
});
