/** What the log and the record tell of a step that failed: what it used, and how busy its worker was (O-162). */
import { cpus, totalmem } from "node:os";
import { expect, test } from "vitest";
import { resourceWords, StepResources } from "../../src/pipeline/resources.ts";
import { BASE_IMAGE } from "../support/docker.ts";
import { openWorkbench, step, steps } from "../support/workbench.ts";

const MIB = 1024 ** 2;
const WORKER = /worker: load \d+\.\d on \d+ CPUs?, memory [\d.]+ GiB of [\d.]+ GiB free$/;

test("a step that failed by itself: its memory and its processor time as last seen, against its limits", async () => {
  await using bench = await openWorkbench();
  const script = "const a = Buffer.alloc(60e6, 1); setTimeout(() => process.exit(a[0] + 2), 3_500)";
  const [tests] = await bench.run(steps(step(`exec node -e '${script}'`)));
  expect(tests?.meaning).toBe("exit 3");
  const resources = StepResources.parse(tests?.resources);
  expect(resources.container).toMatchObject({ memoryLimitBytes: 256 * MIB, cpuLimit: 2 });
  expect(resources.container?.memoryPeakBytes).toBeGreaterThan(60_000_000);
  expect(resources.container?.memoryPeakBytes).toBeLessThan(256 * MIB);
  expect(resources.container?.cpuMs).toBeGreaterThan(10);
  expect(resources.worker).toMatchObject({ cpus: cpus().length, memoryBytes: totalmem() });
  const [last, end] = bench.log.text.trimEnd().split("\n").toReversed();
  expect(end).toMatch(/^── step tests failed in /);
  expect(last).toMatch(
    /^── at its end: container: memory up to \d\d(\.\d)? MiB of 256 MiB, CPU time [\d.]+s \(limit 2 CPUs\); worker: /,
  );
  expect(last).toMatch(WORKER);
});

test("one that was over before anybody looked has its worker only; so has an image; one that passed has nothing", async () => {
  await using bench = await openWorkbench({ Dockerfile: `FROM ${BASE_IMAGE}\nRUN exit 7\n` });
  const results = await bench.run(
    steps(
      step("true", "", "good"),
      step("exit 3", "allow_failure: true", "tests"),
      "- { name: image, build: ., allow_failure: true }",
    ),
  );
  expect(results.map(({ name, resources }) => [name, resources && Object.keys(resources)])).toEqual([
    ["good", undefined],
    ["tests", ["worker"]],
    ["image", ["worker"]],
  ]);
  expect(bench.log.text.match(/^── at its end: worker: /gm)).toHaveLength(2);
});

test("in words", () => {
  const GIB = 1024 * MIB;
  const container = { memoryPeakBytes: 1.2 * GIB, memoryLimitBytes: 4 * GIB, cpuMs: 45_000, cpuLimit: 1 };
  const worker = { load: 3.24, cpus: 2, memoryFreeBytes: 512 * MIB, memoryBytes: 4 * GIB };
  expect(resourceWords({ container: { ...container, memoryPeakBytes: Math.round(1.2 * GIB) }, worker })).toBe(
    "container: memory up to 1.2 GiB of 4 GiB, CPU time 45s (limit 1 CPU); worker: load 3.2 on 2 CPUs, memory 512 MiB of 4 GiB free",
  );
});
