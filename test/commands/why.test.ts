/** `!why`, with a real log and real records. */
import { expect, test } from "vitest";
import { type Build, StepResult } from "../../src/builds/build.ts";
import { BuildLog } from "../../src/builds/build-log.ts";
import { openLog } from "../../src/builds/log-files.ts";
import { suspectOf } from "../../src/incidents/incident.ts";
import { createLedger } from "../../src/incidents/ledger.ts";
import { GitRef, ProjectName, Sha } from "../../src/names.ts";
import { resourceWords } from "../../src/pipeline/resources.ts";
import type { Explanation } from "../../src/results/summary.ts";
import { explain } from "../../src/why/explain.ts";
import { ago, openRecords, RESOURCES, type Records, revisionOf } from "../support/records.ts";
import { openTalk, type Talk } from "../support/talk.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const GO_LOG = [
  "── step 1 of 2: image · 12:00:00 UTC · docker build .",
  "── step image passed in 1s",
  "── step 2 of 2: tests · 12:00:01 UTC · in image",
  "$ go test ./...",
  "ok  \tregistry/storage\t0.1s",
  "--- FAIL: TestBlobUpload (0.00s)",
  "\u001b[31m    api_test.go:512: expected 201, got 500\u001b[0m",
  "FAIL",
  "FAIL\tregistry/handlers\t0.2s",
  "── step tests failed in 48s: exit 1",
  "── failed in 1m12s: step tests, exit 1",
];
type TemporaryFolder = Awaited<ReturnType<typeof temporaryFolder>>;

const FAILED = { kind: "failed", startedAt: ago(72), finishedAt: ago(0), reason: "step tests, exit 1" } as const;
const PASSED = { kind: "passed", startedAt: ago(72), finishedAt: ago(0) } as const;
const FAILING = {
  suite: "registry/handlers",
  name: "TestBlobUpload",
  message: "api_test.go:512: expected 201, got 500",
};

function stepsOf(tests: Record<string, unknown> = {}): StepResult[] {
  return [
    { name: "image", kind: "build", state: "passed", durationMs: 1_000 },
    { name: "tests", kind: "run", state: "failed", durationMs: 48_000, exitCode: 1, meaning: "exit 1", ...tests },
  ].map((step) => StepResult.parse(step));
}

const withReport = {
  tests: { total: 1204, failed: 2, skipped: 0, durationMs: 1_000, failing: [FAILING], flaky: [], slowest: [] },
};

async function keepLog(folder: TemporaryFolder, number: number, lines: readonly string[]): Promise<void> {
  const log = await BuildLog.open({ folder: folder.path, number, limitBytes: 1_000_000 });
  for (const text of lines) await log.line(text);
  await log.close();
}

function talkOf(records: Records, folder: TemporaryFolder): Talk {
  return openTalk(records, { openLog: (number) => openLog(folder.path, number) });
}

/** A build that ended, at a commit of that digit. */
async function ended(
  records: Records,
  digit: string,
  state: Parameters<Records["end"]>[1],
  changes: Partial<Pick<Build, "steps" | "results">> = {},
): Promise<Build> {
  const queued = await records.create("docker-registry", { revision: revisionOf(digit) });
  return records.end(await records.begin(queued), state, changes);
}

test("a record from before explanations were kept is explained from its log", async () => {
  await using folder = await temporaryFolder();
  await using records = await openRecords();
  await keepLog(folder, 1, GO_LOG);
  await ended(records, "3", FAILED, { steps: stepsOf() });

  expect(await talkOf(records, folder).ask("!why 1")).toEqual([
    "#1 step tests, exit 1: TestBlobUpload: api_test.go:512: expected 201, got 500",
    "https://ci.example.org/builds/1#L7",
    "--- FAIL: TestBlobUpload (0.00s)",
    "    api_test.go:512: expected 201, got 500",
    "FAIL",
  ]);
});

test("the report's failing test, builds that failed alike, and whose commit touched what failed", async () => {
  await using folder = await temporaryFolder();
  await using records = await openRecords();
  for (const number of [1, 3, 5]) await keepLog(folder, number, GO_LOG);
  const steps = stepsOf(withReport);
  const explanation = await explain({ state: FAILED, steps }, undefined);
  const results = { explanation };
  await ended(records, "1", FAILED, { steps, results });
  await ended(records, "1", PASSED);
  await ended(records, "2", FAILED, { steps, results });
  const good = await ended(records, "2", PASSED);
  const bad = await ended(records, "3", FAILED, { steps });
  const commit = (digit: string, author: string, files: string[]) =>
    suspectOf({ sha: Sha.parse(digit.repeat(40)), author, title: "a change", files });
  const suspects = [
    commit("9", "eve", ["go.mod"]),
    commit("3", "bob", ["README.md", "registry/handlers/blobupload.go"]),
  ];
  await breakBranch(records, good, bad, suspects);

  expect(await talkOf(records, folder).ask("!why 5")).toEqual([
    "#5 step tests, exit 1: TestBlobUpload (registry/handlers): api_test.go:512: expected 201, got 500",
    "and 1 more failing test · same failure as #1 and #3 (both fixed by retrying) · " +
      "bob 3333333 touched registry/handlers/blobupload.go · https://ci.example.org/builds/5#L7",
    "--- FAIL: TestBlobUpload (0.00s)",
    "    api_test.go:512: expected 201, got 500",
    "FAIL",
    "FAIL    registry/handlers    0.2s",
  ]);
});

async function breakBranch(
  { redis }: Records,
  good: Build,
  bad: Build,
  suspects: ReturnType<typeof suspectOf>[],
): Promise<void> {
  const ledger = createLedger(redis.commands);
  const project = ProjectName.parse("docker-registry");
  const branch = GitRef.parse("main");
  const mark = ({ number, revision }: Build) => ({ number, sha: revision?.sha ?? Sha.parse("0".repeat(40)) });
  const incident = {
    project,
    branch,
    firstBad: mark(bad),
    lastGood: mark(good),
    since: ago(60),
    badBuilds: 1,
    suspects,
  };
  // Builds are settled in the order in which they ended; the last one brings the incident.
  for (let next = await ledger.nextFinished(); next !== undefined; next = await ledger.nextFinished()) {
    const before = await ledger.read(project, branch);
    const state = next === bad.number ? { newest: next, incident } : { newest: next };
    await ledger.settleBuild(next, project, branch, before, state, []);
  }
}

test("the explanation in the record is said as it is", async () => {
  await using folder = await temporaryFolder();
  await using records = await openRecords();
  const explanation: Explanation = {
    kind: "network",
    line: "curl: (6) Could not resolve host: artifacts.example",
    excerpt: ["fetching", "curl: (6) Could not resolve host: artifacts.example"],
    files: [],
    signature: "abc",
  };
  await ended(records, "3", FAILED, { steps: stepsOf(), results: { explanation } });
  expect(await talkOf(records, folder).ask("!why 1")).toEqual([
    "#1 failed: probably not your change: artifacts.example cannot be reached",
    "https://ci.example.org/builds/1/log",
    "fetching",
    "curl: (6) Could not resolve host: artifacts.example",
  ]);
});

test.each([
  ["out of memory (limit 64 MiB)", "#1 step tests: ran out of memory (limit 64 MiB)"],
  [
    "time limit 10m of the step passed",
    "#1 step tests: time limit 10m of the step passed; the last it printed: waiting for the database",
  ],
  [
    "silent for 20m00s (idle limit)",
    "#1 step tests: silent for 20m00s (idle limit); the last it printed: waiting for the database",
  ],
  ["disk limit 10 GiB passed", "#1 step tests: disk limit 10 GiB passed"],
])("%s is no failing test", async (meaning, said) => {
  await using folder = await temporaryFolder();
  await using records = await openRecords();
  await keepLog(folder, 1, [
    "── step 1 of 1: tests · 12:00:01 UTC · in image",
    "waiting for the database",
    `── step tests failed in 48s: ${meaning}`,
  ]);
  const steps = stepsOf({ meaning, exitCode: 137 });
  await ended(records, "3", { ...FAILED, reason: `step tests, ${meaning}` }, { steps });
  expect((await talkOf(records, folder).ask("!why 1"))[0]).toBe(said);
});

test.each([
  ["silent for 20m00s (idle limit)", true],
  ["out of memory (limit 4 GiB)", true],
  ["exit 1", false],
])("%s: what the step and its worker had left is said: %s (O-162)", async (meaning, isSaid) => {
  await using folder = await temporaryFolder();
  await using records = await openRecords();
  await keepLog(folder, 1, [
    "── step 1 of 1: tests · 12:00:01 UTC · in image",
    `── step tests failed in 48s: ${meaning}`,
  ]);
  await ended(records, "3", FAILED, { steps: stepsOf({ meaning, exitCode: 137, resources: RESOURCES }) });
  const [, beside] = await talkOf(records, folder).ask("!why 1");
  expect(beside?.includes(resourceWords(RESOURCES))).toBe(isSaid);
});

test("what the machinery broke is nobody's change", async () => {
  await using folder = await temporaryFolder();
  await using records = await openRecords();
  const reason = "image golang:1.22 cannot be pulled (no such host)";
  await keepLog(folder, 1, ["── step 1 of 1: tests", `── could not go on: ${reason}`]);
  await ended(records, "3", { kind: "errored", startedAt: ago(9), finishedAt: ago(0), reason, tries: 2 });
  expect(await talkOf(records, folder).ask("!why 1")).toEqual([
    `#1 could not run: ${reason}`,
    "not your change · https://ci.example.org/builds/1#L2",
  ]);
});

test("a build that runs or passed is told as it is", async () => {
  await using folder = await temporaryFolder();
  await using records = await openRecords();
  const talk = talkOf(records, folder);
  const build = await records.begin(await records.create());
  expect(await talk.ask("!why 1")).toEqual(["● docker-registry #1 fetching · 1m00s · https://ci.example.org/builds/1"]);
  await records.end(build, PASSED);
  expect((await talk.ask("!why 1"))[0]).toMatch(/^✔ docker-registry #1 passed/);
  expect(await talk.ask("!why 7")).toEqual(["there is no build #7. The newest is #1."]);
});
