/** `/builds/:n` as a person reads it, and the log behind it by bytes, by lines and by words. */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Build, type StepResult } from "../../src/builds/build.ts";
import { artifactsFolder } from "../../src/builds/pipeline-of-build.ts";
import { RecordedPlan } from "../../src/pipeline/plan-record.ts";
import { type BuildSite, openBuildSite } from "../support/build-site.ts";
import { ago, RESOURCES, revisionOf } from "../support/records.ts";
import { waitFor } from "../support/wait-for.ts";
import { readable } from "../support/web-client.ts";

const ended = { startedAt: ago(72), finishedAt: ago(0) };
const STEPS = Build.shape.steps.parse([
  { name: "image", kind: "build", state: "passed", durationMs: 21_000, image: "x" },
  { name: "tests", kind: "run", state: "failed", durationMs: 48_000, exitCode: 1, meaning: "exit 1" },
]);
const plan = RecordedPlan.parse({
  isParallel: false,
  projectEnv: [],
  secrets: [],
  steps: [
    { kind: "build", id: "image", name: "image", needs: [], context: ".", dockerfile: "Dockerfile", args: {} },
    ...(["tests", "publish", "sign"] as const).map((name, index) => ({
      kind: "run",
      id: name,
      name,
      needs: index === 0 ? ["image"] : ["tests"],
      script: "make test",
      image: { kind: "step", step: "image" },
      env: {},
      services: {},
      ...(name === "sign" ? { leftOut: "only on branch release" } : {}),
    })),
  ],
});
const RESULTS = Build.shape.results.parse({
  tests: {
    total: 1_204,
    failed: 2,
    skipped: 3,
    durationMs: 40_000,
    failing: [
      {
        suite: "registry/handlers",
        name: "TestBlobUpload",
        file: "api_test.go",
        line: 512,
        message: "expected 201, got 500",
      },
      { suite: "", name: "<b>TestCatalog</b>", message: "\u001b[31m<script>alert(1)</script>" },
    ],
    flaky: [],
    slowest: [{ suite: "", name: "TestSlow", durationMs: 8_000 }],
  },
  comparison: { against: 1, newlyFailing: 2, fixed: 0, stillFailing: 0, added: 1, gone: 0 },
  coverage: {
    totals: { unit: "statements", covered: 617, total: 1_000 },
    change: { kind: "since", build: 1, totals: { unit: "statements", covered: 619, total: 1_000 } },
    patch: { covered: 9, total: 12 },
  },
  explanation: {
    kind: "tests",
    step: "tests",
    line: "TestBlobUpload (registry/handlers): expected 201, got 500",
    logLine: 812,
    excerpt: ["=== RUN   TestBlobUpload", "    api_test.go:512: expected 201, got 500"],
    files: ["registry/handlers/api_test.go"],
    signature: "s",
  },
  artifacts: [{ path: "dist/a b.tgz", bytes: 1_234_567 }],
});

async function failedBuild(site: BuildSite, steps: StepResult[] = STEPS): Promise<Build> {
  await site.end(await site.begin(await site.create("hello")), { kind: "passed", ...ended });
  const build = await site.begin(await site.create("hello"));
  await site.store.setPlan(build.number, plan);
  const state = { kind: "failed", ...ended, reason: "step tests, exit 1" } as const;
  return (await site.store.transition(build, state, { steps, results: RESULTS })) ?? build;
}

test("a build that failed says why, with what, against what and what there is of it", async () => {
  const commit = { sha: revisionOf("3").sha, author: "bob", title: "storage: retry on 503", files: [] };
  await using site = await openBuildSite({
    changes: async () => ({ since: Build.shape.number.parse(1), commits: [commit] }),
    incidents: async () => [
      {
        project: Build.shape.project.parse("hello"),
        branch: revisionOf("0").ref,
        firstBad: { number: Build.shape.number.parse(2), sha: commit.sha },
        lastGood: { number: Build.shape.number.parse(1), sha: commit.sha },
        since: ago(60),
        badBuilds: 1,
        suspects: [{ ...commit, files: ["registry/handlers/api_test.go"] }],
        claimedBy: "bob",
      },
    ],
  });
  await failedBuild(site);
  const { text } = await site.page("/builds/2");
  const said = readable(text);
  for (const phrase of [
    "hello #2 ✘ failed step tests, exit 1",
    "Why TestBlobUpload (registry/handlers): expected 201, got 500 line 812",
    "=== RUN TestBlobUpload api_test.go:512: expected 201, got 500",
    'bob 3333333 "storage: retry on 503" touched registry/handlers/api_test.go',
    "It was good at #1 , and is broken since #2 . bob has it.",
    "image ✔ passed 21s",
    "tests ✘ failed 48s image exit 1 repeat it",
    "publish ○ not run tests",
    "sign ○ left out tests only on branch release",
    "2 of 1,204 tests failed, 3 skipped",
    "Compared with #1 : 2 newly failing, 1 new",
    "registry/handlers › TestBlobUpload api_test.go:512 expected 201, got 500",
    "61.7% of statements (-0.2 since #1 ) · patch 9 of 12 lines (75.0%)",
    "dist/a b.tgz 1.2 MiB",
    "Commits since #1 3333333 storage: retry on 503 bob",
  ]) {
    expect(said).toContain(phrase);
  }
  // Without scripts the line is shown on a page of its own.
  expect(text).toContain('href="/builds/2/log/view?from=802#L812"');
  expect(text).toContain('href="/artifacts/2/dist/a%20b.tgz"');
  expect(text).toContain('href="/coverage/hello/2/"');
  for (const raw of ["<script>", "\u001b", "<b>TestCatalog"]) expect(text).not.toContain(raw);
  expect(text).not.toContain("<form");
});

test("the second bad build of a branch is not called its first", async () => {
  const sha = revisionOf("3").sha;
  await using site = await openBuildSite({
    incidents: async () => [
      {
        project: Build.shape.project.parse("hello"),
        branch: revisionOf("0").ref,
        firstBad: { number: Build.shape.number.parse(1), sha },
        since: ago(60),
        badBuilds: 2,
        suspects: [],
      },
    ],
  });
  await failedBuild(site);
  const said = readable((await site.page("/builds/2")).text);
  expect(said).toContain("The branch is broken since its first build, #1 .");
});

test("a build that waits says for what, and has no empty box for its log", async () => {
  await using site = await openBuildSite();
  await site.create("hello");
  await site.create("docker");
  const said = async () => readable((await site.page("/builds/2")).text);
  expect(await said()).toMatch(/Now 1 before it .* Log There is no log yet\./);
  await site.builds.pauses.pause(Build.shape.project.parse("docker"), "ada");
  expect(await said()).toContain("Now paused by ada since");
  await site.begin(await site.builds.get(Build.shape.number.parse(2)));
  expect(await said()).toMatch(/Now fetching on big-1 .* Log There is no log yet\./);
});

test("a step that was not run because of another names it, and lanes are not named twice", async () => {
  await using site = await openBuildSite();
  const skipped = Build.shape.steps.parse([
    { name: "publish", kind: "run", state: "skipped", durationMs: 0 },
    { name: "sign", kind: "run", state: "skipped", durationMs: 0, meaning: "only on branch release" },
  ]);
  await failedBuild(site, [...STEPS, ...skipped]);
  const said = readable((await site.page("/builds/2")).text);
  expect(said).toContain("publish ○ skipped tests tests did not pass");
  expect(said).toContain("sign ○ skipped tests only on branch release");

  const lanes = ["20", "22"].flatMap((NODE, at) =>
    plan.steps.slice(0, 2).map((step) => ({
      ...step,
      id: `${step.name}.${at + 1}`,
      lane: { NODE },
      needs: step.needs.map((id) => `${id}.${at + 1}`),
    })),
  );
  const build = await site.begin(await site.create("docker"));
  await site.store.setPlan(build.number, RecordedPlan.parse({ ...plan, steps: lanes }));
  const steps = Build.shape.steps.parse(
    lanes.map(({ id, name, lane, kind }) => ({
      id,
      name,
      kind,
      lane,
      state: "failed",
      durationMs: 1_000,
      meaning: "exit 1",
      warnings: ["a: is there twice; this one replaced that of step tests.1"],
    })),
  );
  await site.store.transition(build, { kind: "failed", ...ended, reason: "exit 1" }, { steps });
  const both = readable((await site.page(`/builds/${build.number}`)).text);
  expect(both).toContain(
    "tests NODE=22 ✘ failed 1.0s image exit 1; a: is there twice; this one replaced that of step tests NODE=20",
  );
});

test("a step that a cancelled build was at is not said to be one that was not run", async () => {
  await using site = await openBuildSite();
  const build = await site.begin(await site.create("hello"));
  await site.store.setPlan(build.number, plan);
  await site.end(build, { kind: "cancelled", by: "ada", ...ended }, { steps: STEPS.slice(0, 1) });
  const said = readable((await site.page("/builds/1")).text);
  expect(said).toContain("tests ○ not ended image publish ○ not run tests");
});

test("beside a step that failed stands what it and its worker used (O-162)", async () => {
  await using site = await openBuildSite();
  await failedBuild(
    site,
    STEPS.map((step) => (step.state === "failed" ? { ...step, resources: RESOURCES } : step)),
  );
  expect(readable((await site.page("/builds/2")).text)).toContain(
    "tests ✘ failed 48s image exit 1 repeat it container: memory up to 3.5 GiB of 4 GiB, CPU time 45s (limit 2 CPUs); " +
      "worker: load 7.3 on 2 CPUs, memory 512 MiB of 8 GiB free publish",
  );
});

test("the lanes of a matrix stand beside each other, and below them only those with something to say", async () => {
  await using site = await openBuildSite();
  const steps = Build.shape.steps.parse(
    ["20", "22"].flatMap((node, index) => [
      { name: "lint", id: `lint.${index + 1}`, lane: { NODE: node }, kind: "run", state: "passed", durationMs: 1_000 },
      {
        name: "tests",
        id: `tests.${index + 1}`,
        lane: { NODE: node },
        kind: "run",
        state: index === 0 ? "passed" : "failed",
        durationMs: 2_000,
        ...(index === 0 ? {} : { meaning: "exit 1" }),
      },
    ]),
  );
  const build = await site.begin(await site.create("hello"));
  await site.store.transition(build, { kind: "failed", ...ended, reason: "step tests NODE=22, exit 1" }, { steps });
  const said = readable((await site.page("/builds/1")).text);
  expect(said).toContain("Lane lint tests NODE=20 ✔ passed 1.0s ✔ passed 2.0s NODE=22 ✔ passed 1.0s ✘ failed 2.0s");
  expect(said).toContain("Meaning tests NODE=22 ✘ failed 2.0s exit 1 Log");
});

test("/builds/:n/tests names all that fail and what is slow; of a build without tests it says so", async () => {
  await using site = await openBuildSite();
  await failedBuild(site);
  const { status, text } = await site.page("/builds/2/tests");
  expect(status).toBe(200);
  expect(/<title>(.*)<\/title>/.exec(text)?.[1]).toBe("2 of 1,204 tests failed, 3 skipped · hello #2");
  expect(readable(text)).toMatch(/Failing 2 .*TestBlobUpload.*Slowest .*TestSlow 8\.0s/);
  const none = await site.page("/builds/1/tests");
  expect([none.status, readable(none.text)]).toEqual([404, expect.stringContaining("#1 has no test report.")]);
});

test("/builds/:n/repro is a script, and says what is there when the step is not", async () => {
  await using site = await openBuildSite();
  await failedBuild(site);
  const { text, headers } = await site.page("/builds/2/repro");
  expect(headers.get("content-type")).toContain("text/plain");
  expect(text).toMatch(/^# Repeats step tests of hello number 2\..*\ngit clone/s);
  const wrong = await site.page("/builds/2/repro?step=nosuch");
  expect([wrong.status, wrong.text]).toEqual([404, expect.stringContaining("There are image, tests, publish, sign.")]);
  expect((await site.page("/builds/1/repro")).status).toBe(404);
});

test("what builds left behind keeps its own rules where the site has others", async () => {
  await using site = await openBuildSite();
  const folder = join(artifactsFolder(site.config.dataDir), "1");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "a.html"), "<script>alert(1)</script>");
  expect((await site.page("/artifacts/1/a.html")).headers.get("content-security-policy")).toMatch(/^sandbox;/);
});

// O-83
test("the log is there by bytes, by lines, by words and in pieces", async () => {
  await using site = await openBuildSite();
  await site.end(await site.begin(await site.create("hello")), { kind: "passed", ...ended });
  const log = await site.writeLog(1);
  await log.line("── step 1 of 1: tests · 17:34:00 · in image");
  for (let number = 2; number <= 2_000; number += 1)
    await log.line(`line ${number} ${number % 500 === 0 ? "NEEDLE" : ""}`);
  await log.close();
  const whole = (await site.page("/builds/1/log")).text;

  const some = await site.page("/builds/1/log", { range: "bytes=10-29" });
  const bytes = Buffer.from(whole);
  expect([some.status, some.headers.get("content-range")]).toEqual([206, `bytes 10-29/${bytes.length}`]);
  expect(some.text).toBe(bytes.subarray(10, 30).toString());
  expect((await site.page("/builds/1/log", { range: "bytes=-9" })).text).toBe("ine 2000 NEEDLE\n".slice(-9));
  expect((await site.page("/builds/1/log", { range: "bytes=999999-" })).status).toBe(416);
  expect((await site.page("/builds/1/log", { range: "lines=1-2" })).text).toBe(whole);

  expect((await site.page("/builds/1/log?from=1999&lines=5")).text).toBe("line 1999 \nline 2000 NEEDLE\n");
  expect((await site.page("/builds/1/log?from=3000&lines=5")).text).toBe("");
  expect(JSON.parse((await site.page("/builds/1/log/search?q=needle")).text)).toEqual({
    count: 4,
    lines: [500, 1_000, 1_500, 2_000],
  });
  const outline = JSON.parse((await site.page("/builds/1/log/outline")).text);
  expect(outline).toMatchObject({ lines: 2_000, bytes: bytes.length, isWhole: true, isOver: true });
  expect(outline.sections).toEqual([{ line: 1, title: "tests", isMixed: false }]);
  expect([outline.tail.length, outline.tail[0]]).toEqual([500, "line 1501 "]);

  const view = await site.page("/builds/1/log/view?from=995");
  expect(readable(view.text)).toContain("earlier lines 995 to 1,494 of 2,000 later last first 995 line 995");
  expect(view.text).toContain('id="L1000"');
  expect(readable((await site.page("/builds/1/log/view")).text)).toContain("lines 1,501 to 2,000 of 2,000");
  const found = readable((await site.page("/builds/1/log/view?q=Needle")).text);
  expect(found).toContain("4 lines 500 line 500 NEEDLE 1000 line 1000 NEEDLE");
});

test.each(["search?q=x", "view", "view?q=x"])(
  "/builds/1/log/%s of a build without a log is not there",
  async (path) => {
    await using site = await openBuildSite();
    await site.create("hello");
    expect((await site.page(`/builds/1/log/${path}`)).status).toBe(404);
    expect((await site.page(`/builds/2/log/${path}`)).status).toBe(404);
    expect((await site.page("/builds/1/log/outline")).status).toBe(204);
  },
);

// O-164
test("who stops to follow leaves no connection to Redis behind", async () => {
  await using site = await openBuildSite();
  await site.begin(await site.create("hello"));
  const log = await site.writeLog(1);
  await log.line("line 1");
  await log.flush();
  const connections = async (): Promise<number> => String(await site.redis.commands.client("LIST")).split("id=").length;
  const before = await connections();
  for (const after of ["", "?after=0", "?after=7"]) {
    const gone = new AbortController();
    const headers = { accept: "text/event-stream" };
    const { body } = await fetch(`${site.url}/builds/1/log${after}`, { headers, signal: gone.signal });
    await body?.getReader().read();
    await waitFor("the connection", async () => (await connections()) > before);
    gone.abort();
    await waitFor("the end of the connection", async () => (await connections()) === before);
  }
});
