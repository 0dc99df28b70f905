/** A failed step that is run once more, what it left behind, and what that makes of its result. */
import { describe, expect, test } from "vitest";
import { RuntimeError } from "../../src/errors.ts";
import { HandedOver } from "../../src/pipeline/stop.ts";
import { type CollectFindings, NO_FINDINGS, type StepFindings } from "../../src/results/findings.ts";
import { waitFor } from "../support/wait-for.ts";
import { openWorkbench, step, steps } from "../support/workbench.ts";

const RETRY = "retry_failed: 1";

const failing = (...names: readonly string[]): StepFindings => ({
  ...NO_FINDINGS,
  tests: {
    total: 30,
    failed: names.length,
    skipped: 0,
    durationMs: 5,
    failing: names.map((name) => ({ suite: "store", name })),
    flaky: [],
    slowest: [],
  },
});

/** Gives the findings of each try, and remembers what it was asked. */
function collecting(...tries: readonly StepFindings[]) {
  const asked: string[] = [];
  const collect: CollectFindings = async ({ id }, container, count) => {
    const { exitCode } = await container.wait(new AbortController().signal);
    asked.push(`${id} try ${count}, exit ${exitCode}`);
    return tries[count - 1] ?? NO_FINDINGS;
  };
  return { asked, collect };
}

/** Passes in every run but the first, which leaves a mark in a cache. */
const ONCE = "if [ -e /marks/one ]; then echo fine; else echo once > /marks/one; hostname; exit 3; fi";
const onceStep = (more = RETRY) => steps(step(ONCE, `cache: /marks, ${more}`));
const KEPT = { cache: { write: "branch main" } };

describe("a step that failed", () => {
  test("and passes in a fresh container is passed and flaky, with the tests that changed their mind", async () => {
    await using bench = await openWorkbench();
    const { asked, collect } = collecting(failing("lists", "puts"), failing());
    const [result] = await bench.run(onceStep(), { ...KEPT, collect });
    expect(result).toMatchObject({ state: "passed", exitCode: 0, flaky: true, tries: 2 });
    expect(result?.tests?.flaky).toEqual([
      { suite: "store", name: "lists" },
      { suite: "store", name: "puts" },
    ]);
    expect(asked).toEqual(["tests try 1, exit 3", "tests try 2, exit 0"]);
    const log = bench.log.text;
    expect(log).toContain("\n── step tests failed: exit 3; running it once more\n");
    expect(log).toMatch(/\nfine\n── step tests passed in .* \(flaky: it failed the first time\)\n$/);
    const containers = await bench.corner.runtime.find({ ...bench.corner.labels, "docker-ci.step": "tests" });
    expect(containers).toHaveLength(2);
  });

  test("and fails again is failed with what the second run found; nothing is run a third time", async () => {
    await using bench = await openWorkbench();
    const { asked, collect } = collecting(failing("lists", "puts"), failing("puts", "cuts"));
    const [result] = await bench.run(steps(step("exit 4", RETRY)), { collect });
    expect(result).toMatchObject({ state: "failed", meaning: "exit 4", tries: 2 });
    expect(result?.flaky).toBeUndefined();
    expect(result?.tests?.failing.map(({ name }) => name)).toEqual(["puts", "cuts"]);
    expect(result?.tests?.flaky.map(({ name }) => name)).toEqual(["lists"]);
    expect(asked).toHaveLength(2);
  });

  test("is not run again where nobody asked for it, or where it was stopped for its time", async () => {
    await using bench = await openWorkbench();
    const line = steps(step("exit 4", "allow_failure: true", "a"), step("sleep 60", `timeout: 500ms, ${RETRY}`, "b"));
    const results = await bench.run(line);
    expect(results.map(({ state, tries }) => [state, tries])).toEqual([
      ["failed", undefined],
      ["failed", undefined],
    ]);
  });

  test("only in tests that are in quarantine fails nothing, and the record keeps 20 of what failed", async () => {
    await using bench = await openWorkbench();
    const names = Array.from({ length: 30 }, (_, index) => `test ${index}`);
    const { asked, collect } = collecting(failing(...names));
    const seen: number[] = [];
    const isExcused = ({ tests }: StepFindings): boolean => {
      seen.push(tests?.failing.length ?? 0);
      return true;
    };
    const [tests, next] = await bench.run(steps(step("exit 1", RETRY), step("true", "", "next")), {
      collect,
      isExcused,
    });
    expect(tests).toMatchObject({ state: "failed", allowed: true, quarantined: true });
    expect([tests?.tests?.failing.length, tests?.tests?.failed, seen]).toEqual([20, 30, [30]]);
    expect(asked).toEqual(["tests try 1, exit 1", "next try 1, exit 0"]);
    expect(next?.state).toBe("passed");
    expect(bench.log.text).toContain(": exit 1 (only tests in quarantine)\n");
  });
});

describe("what a step left behind", () => {
  test("may fail a step that passed by itself", async () => {
    await using bench = await openWorkbench();
    const judge = () => "coverage 61.9% is below 70%";
    const ends = await bench.ends(steps(step("true"), step("true", "", "next")), { judge });
    expect(ends).toEqual(["tests failed: coverage 61.9% is below 70%", "next skipped"]);
  });

  test("comes with warnings, which the log tells too; a full disk is one of them, and the engine's fault is not", async () => {
    await using bench = await openWorkbench();
    const collect: CollectFindings = async ({ id }) => {
      if (id === "a") return { ...NO_FINDINGS, warnings: ["junit.xml: is cut off at line 8"] };
      const full = Object.assign(new Error("ENOSPC: no space left on device, write"), {
        code: "ENOSPC",
        syscall: "write",
      });
      if (id === "b") throw new RuntimeError("the reports cannot be written", { cause: full });
      throw new RuntimeError("the Docker Engine does not answer", {
        cause: Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET", syscall: "read" }),
      });
    };
    const line = steps(step("true", "", "a"), step("true", "", "b"), step("true", "", "c"));
    const told: (readonly string[] | undefined)[] = [];
    const run = bench.run(line, { collect }, undefined, {
      started: async () => undefined,
      async ended(results) {
        told.push(results.at(-1)?.warnings);
      },
    });
    await expect(run).rejects.toThrow("the Docker Engine does not answer");
    const kept = "its reports could not be kept: the reports cannot be written: ENOSPC: no space left on device, write";
    expect(told).toEqual([["junit.xml: is cut off at line 8"], [kept]]);
    expect(bench.log.text).toContain("\n── junit.xml: is cut off at line 8\n── step a passed");
  });

  test("is told while it is printed, masked", async () => {
    await using bench = await openWorkbench();
    const seen: string[] = [];
    const watch = (id: string) => ({
      push: (bytes: Uint8Array) => seen.push(`${id}: ${Buffer.from(bytes).toString()}`),
    });
    await bench.run(steps(step("echo COVERAGE_FILE=x")), { watch });
    expect(seen.join("")).toBe("tests: COVERAGE_FILE=x\n");
  });
});

test("a hand-over in the second run: the next attempt goes on with it, and still knows what failed first", async () => {
  await using bench = await openWorkbench();
  const handOver = new AbortController();
  const reason = new HandedOver();
  const line =
    "if [ -e /marks/one ]; then for i in 1 2 3 4 5; do echo line $i; sleep 0.4; done; else touch /marks/one; exit 3; fi";
  const pipeline = steps(step(line, `cache: /marks, ${RETRY}`));
  const { collect } = collecting(failing("lists"), failing());
  await Promise.all([
    expect(bench.run(pipeline, { ...KEPT, collect }, handOver.signal)).rejects.toBe(reason),
    waitFor("line 2", () => /^line 2$/m.test(bench.log.text)).then(() => handOver.abort(reason)),
  ]);
  const [result] = await bench.run(pipeline, { ...KEPT, collect, attempt: 2 });
  expect(result).toMatchObject({ state: "passed", flaky: true, tries: 2, tests: { flaky: [{ name: "lists" }] } });
  expect(bench.log.text.match(/^line \d$/gm)).toEqual([1, 2, 3, 4, 5].map((number) => `line ${number}`));
  expect(bench.log.text.match(/running it once more/g)).toHaveLength(1);
  expect(bench.log.text.match(/── step 1 of 1/g)).toHaveLength(2);
});
