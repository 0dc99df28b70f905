/** Steps that say nothing, on the real engine: they are ended, and that is told apart from every other end (O-27). */
import { describe, expect, test } from "vitest";
import { HandedOver } from "../../src/pipeline/stop.ts";
import type { ContainerRuntime } from "../../src/runtime.ts";
import { BASE_IMAGE } from "../support/docker.ts";
import { openImageRegistry } from "../support/image-registry.ts";
import { waitFor } from "../support/wait-for.ts";
import { LIMITS, openWorkbench, PROJECT, step, steps } from "../support/workbench.ts";

const SILENT = "silent for 1.0s (idle limit)";

describe("a run step", () => {
  test("is ended when it prints nothing for so long, and is not run again", async () => {
    await using bench = await openWorkbench();
    const [tests] = await bench.run(steps(step("echo here; sleep 60", "idle: 1s, timeout: 50s, retry_failed: 1")));
    expect(tests).toMatchObject({ state: "failed", exitCode: 143, meaning: SILENT });
    expect(tests?.tries).toBeUndefined();
    expect(tests?.durationMs).toBeLessThan(10_000);
    expect(bench.log.text).toMatch(/\nhere\n── step tests failed in [\d.]+s: silent for 1\.0s \(idle limit\)\n/);
  });

  test("may go on for as long as it prints anything, be it a dot", async () => {
    await using bench = await openWorkbench();
    const dots = "for i in 1 2 3 4 5 6 7 8; do printf . >&2; sleep 0.3; done";
    expect(await bench.ends(steps(step(dots, "idle: 1s")))).toEqual(["tests passed"]);
  });

  test("has the project's limit where it does not say otherwise, and none at all with off", async () => {
    await using bench = await openWorkbench();
    const quiet = (name: string, more = "") => step("sleep 1.7", `needs: [], allow_failure: true${more}`, name);
    const project = { ...PROJECT, network: "none" as const, limits: { ...LIMITS, idleMs: 1_000 } };
    const pipeline = steps(quiet("same"), quiet("longer", ", idle: 1m"), quiet("off", ", idle: off"));
    expect(await bench.ends(pipeline, { project })).toEqual([`same failed: ${SILENT}`, "longer passed", "off passed"]);
  });

  test("is not silent while the engine does not answer: nobody could have heard it", async () => {
    const away = ({ start }: ContainerRuntime): Partial<ContainerRuntime> => ({
      start: async (...given) => {
        const container = await start(...given);
        return Object.assign(container, { usage: () => Promise.reject(new Error("away")) });
      },
    });
    await using bench = await openWorkbench({}, away);
    expect(await bench.ends(steps(step("sleep 2", "idle: 500ms")))).toEqual(["tests passed"]);
  });

  test("that another worker goes on with is listened to from then on", async () => {
    await using bench = await openWorkbench();
    const handOver = new AbortController();
    const reason = new HandedOver();
    const pipeline = steps(step("echo here; sleep 60", "idle: 2s"));
    await Promise.all([
      expect(bench.run(pipeline, {}, handOver.signal)).rejects.toBe(reason),
      waitFor("the step to run", () => bench.log.text.includes("\nhere\n")).then(() => handOver.abort(reason)),
    ]);
    const [tests] = await bench.run(pipeline, { attempt: 2 });
    expect(tests?.meaning).toBe("silent for 2.0s (idle limit)");
    expect(tests?.durationMs).toBeGreaterThan(1_900);
    expect(bench.log.text.match(/^here$/gm)).toHaveLength(1);
  });
});

describe.each(["buildkit", "classic"] as const)("an image built by %s", (builder) => {
  const PROJECT_OF = { project: { ...PROJECT, limits: LIMITS, builder } };

  test("is given up when a RUN prints nothing for so long, and not while it prints", async () => {
    // Never from the cache.
    const dots = `for i in 1 2 3 4 5; do echo $i; sleep 0.4; done; : ${Math.random()}`;
    await using bench = await openWorkbench({ Dockerfile: `FROM ${BASE_IMAGE}\nRUN ${dots}\nRUN sleep 60\n` });
    const [image] = await bench.run(steps("- { name: image, build: ., idle: 1s }"), PROJECT_OF);
    expect(image).toMatchObject({ state: "failed", meaning: SILENT });
    expect(image?.durationMs).toBeLessThan(10_000);
    expect(bench.log.text).toMatch(/^5$/m);
  });

  test("is not silent while a base image comes in, though no line of the log says so", async () => {
    // The engine tells of every half megabyte, and this takes three seconds.
    const slow = { bytes: 4_000_000, pieceBytes: 700_000, restMs: 500 };
    await using registry = await openImageRegistry(undefined, slow);
    await using bench = await openWorkbench({ Dockerfile: `FROM ${registry.image}\nCOPY README.md /\n` });
    try {
      expect(await bench.ends(steps("- { name: image, build: ., idle: 1500ms }"), PROJECT_OF)).toEqual([
        "image passed",
      ]);
    } finally {
      await bench.corner.runtime.removeImage(registry.image);
    }
  });
});
