/** Why a build did not pass, from what it left: reports, a log, or nothing but its end. */
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { StepResult } from "../../src/builds/build.ts";
import type { Explanation } from "../../src/results/summary.ts";
import { type EndedBuild, explain } from "../../src/why/explain.ts";
import { failingCases } from "./corpus.ts";

const TIMES = { startedAt: "2026-03-01T11:59:00.000Z", finishedAt: "2026-03-01T12:00:00.000Z" };

function failed(changes: Record<string, unknown> = {}): EndedBuild {
  const step = {
    name: "tests",
    kind: "run",
    state: "failed",
    durationMs: 1,
    exitCode: 1,
    meaning: "exit 1",
    ...changes,
  };
  return { state: { kind: "failed", ...TIMES, reason: "step tests, exit 1" }, steps: [StepResult.parse(step)] };
}

const logOf = (...lines: string[]): Readable => Readable.from([Buffer.from(`${lines.join("\n")}\n`)]);
const BEGIN = "── step 1 of 1: tests · 12:00:00 UTC · in image";
const END = "── step tests failed in 1.2s: exit 1";

function why(build: EndedBuild, ...lines: string[]): Promise<Explanation> {
  return explain(build, logOf(BEGIN, "$ make test", ...lines, END));
}

const report = (failing: readonly Record<string, unknown>[], changes: Record<string, unknown> = {}): EndedBuild =>
  failed({
    tests: { total: 9, failed: failing.length, skipped: 0, durationMs: 1, failing, flaky: [], slowest: [] },
    ...changes,
  });

describe("reports come first", () => {
  test("the first failing test, with its place in the log and its files", async () => {
    const build = report([
      {
        suite: "registry/handlers",
        name: "TestBlobUpload",
        message: "\n  api_test.go:512: expected 201, got 500\nmore",
      },
      { suite: "registry/handlers", name: "TestCatalog" },
    ]);
    expect(
      await why(
        build,
        "panic: something louder",
        "--- FAIL: TestBlobUpload",
        "    api_test.go:512: expected 201, got 500",
      ),
    ).toMatchObject({
      kind: "tests",
      step: "tests",
      line: "TestBlobUpload (registry/handlers): api_test.go:512: expected 201, got 500",
      logLine: 5,
      excerpt: ["--- FAIL: TestBlobUpload", "    api_test.go:512: expected 201, got 500"],
      files: ["registry/handlers/api_test.go"],
    });
  });

  test("a test without words is found by its name", async () => {
    const { line, logLine } = await why(report([{ suite: "", name: "closes" }]), "ok 1 - opens", "not ok 2 - closes");
    expect([line, logLine]).toEqual(["closes failed", 4]);
  });

  test("a process that ran out of memory is told in front of the test that it broke", async () => {
    const build = report([{ suite: "", name: "TestBig", message: "signal: killed" }], {
      meaning: "exit 1; a process in it ran out of memory (limit 64 MiB)",
    });
    expect(await why(build)).toMatchObject({
      kind: "memory",
      line: "a process ran out of memory (limit 64 MiB): TestBig: signal: killed",
    });
  });
});

describe("which lines are looked at", () => {
  test("those of the failing step alone", async () => {
    const log = logOf(
      "── step 1 of 2: lint · 12:00:00 UTC · in image",
      "main.c:1:1: error: of a step that may fail",
      "── step lint failed in 1s: exit 1 (allowed to fail)",
      "── step 2 of 2: tests · 12:00:01 UTC · in image",
      "cat: VERSION: No such file or directory",
      END,
      "── failed in 2s: step tests, exit 1",
    );
    expect(await explain(failed(), log)).toMatchObject({ line: "cat: VERSION: No such file or directory", logLine: 5 });
  });

  test("the last try of a step that was run again", async () => {
    const { line } = await why(
      failed({ tries: 2 }),
      "--- FAIL: TestFirst (0.0s)",
      "── step tests failed: exit 1; running it once more",
      BEGIN,
      "--- FAIL: TestSecond (0.0s)",
    );
    expect(line).toBe("--- FAIL: TestSecond (0.0s)");
  });

  test("where steps run side by side, those with the lane's label", async () => {
    const log = logOf(
      "tests NODE=20 │ ── step 1 of 2: tests NODE=20 · 12:00:00 UTC · in image",
      "tests NODE=22 │ ── step 2 of 2: tests NODE=22 · 12:00:00 UTC · in image",
      "tests NODE=20 │ $ npm test",
      "tests NODE=20 │ main.c:1:1: error: of the other lane",
      "tests NODE=22 │ not ok 2 - closes",
      "tests NODE=20 │ ok",
      "tests NODE=22 │   error: 'the door is open'",
      "tests NODE=22 │ ── step tests NODE=22 failed in 1s: exit 1",
    );
    expect(await explain(failed({ id: "tests.2", lane: { NODE: "22" } }), log)).toMatchObject({
      line: "closes: the door is open",
      logLine: 7,
    });
  });

  test("the corpus says the same side by side with a chatty neighbour", async () => {
    for (const { build, log, name } of failingCases()) {
      const lane = (step: string, text: string): string => `${step} │ ${text}`;
      let step = "";
      const beside = log.split("\n").flatMap((text) => {
        step = /^── step \d+ of \d+: (\S+) · /.exec(text)?.[1] ?? step;
        if (/^[✘✔]|^── could not go on/.test(text) || step === "") return [text];
        return [lane(step, text), lane("other", "main.c:1:1: error: of somebody else")];
      });
      const alone = await explain(build, Readable.from([Buffer.from(log)]));
      const { line, signature } = await explain(build, logOf(...beside));
      expect({ name, line, signature }).toEqual({ name, line: alone.line, signature: alone.signature });
    }
  });
});

describe("what no tool's rule knows", () => {
  test("the last words that are not noise", async () => {
    const words = ["the moon is in the wrong house", "", "=====", "make: *** [Makefile:3: x] Error 2"];
    expect((await why(failed(), ...words)).line).toBe("the moon is in the wrong house");
    expect((await why(failed(), ...words.slice(1))).line).toBe("make: *** [Makefile:3: x] Error 2");
  });

  test("how it ended, where nothing was printed or no log is left", async () => {
    expect((await why(failed())).line).toBe("exit 1");
    expect(await explain(failed(), undefined)).toMatchObject({ line: "exit 1", excerpt: ["exit 1"] });
  });

  test("docker-ci's own verdict, where the step itself was content", async () => {
    const meaning = "coverage 61.0% is under 70%";
    expect(await why(failed({ exitCode: 0, meaning }), "Error: only a word")).toMatchObject({
      line: meaning,
      kind: "tests",
    });
  });

  test("a revision that cannot be built", async () => {
    const reason = "main and PR#12 cannot be merged: conflict in a.go";
    const build: EndedBuild = { state: { kind: "failed", ...TIMES, reason }, steps: [] };
    expect(await explain(build, undefined)).toMatchObject({ kind: "git", line: reason });
  });
});

describe("text from outside", () => {
  test("is free of control characters and bounded", async () => {
    const { line, excerpt } = await why(failed(), `\u001b[31merror:\u001b[0m \u0007${"long ".repeat(9_000)}`);
    expect(line).toMatch(/^error: long long /);
    expect(line.length).toBeLessThanOrEqual(300);
    expect(line.endsWith("…")).toBe(true);
    for (const text of excerpt) expect(text.length).toBeLessThanOrEqual(300);
  });

  test("cannot make the search slow", async () => {
    const lines = [
      "a".repeat(16_000),
      " ".repeat(16_000),
      "a/".repeat(8_000),
      "E: ".repeat(5_000),
      ".".repeat(16_000),
      "1:".repeat(8_000),
    ];
    const before = performance.now();
    await why(failed(), ...Array.from({ length: 50 }, () => lines).flat());
    expect(performance.now() - before).toBeLessThan(5_000);
  });
});

test("a long log is read once: the end of the step is found, and the failing test's line in its middle", async () => {
  const noise = `${"x".repeat(99)}\n`.repeat(1_000);
  const parts = function* (): Generator<Buffer> {
    yield Buffer.from(`${BEGIN}\n`);
    for (let count = 0; count < 200; count += 1) {
      yield Buffer.from(count === 100 ? `${noise}    api_test.go:5: expected 201\n` : noise);
    }
    yield Buffer.from(`--- FAIL: TestLast (0.1s)\n    last_test.go:3: not closed\n${END}\n`);
  };
  const build = report([{ suite: "", name: "TestMiddle", message: "api_test.go:5: expected 201" }]);
  expect(await explain(build, Readable.from(parts()))).toMatchObject({ logLine: 101_002 });
  expect(await explain(failed(), Readable.from(parts()))).toMatchObject({
    line: "TestLast: last_test.go:3: not closed",
    logLine: 200_004,
  });
});
