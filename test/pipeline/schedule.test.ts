/** Which steps begin when, without an engine. */
import { describe, expect, test } from "vitest";
import type { StepResult } from "../../src/builds/build.ts";
import { deferred } from "../../src/lifecycle.ts";
import type { StepId } from "../../src/names.ts";
import { planBuild } from "../../src/pipeline/plan.ts";
import { nameOf, runInOrder } from "../../src/pipeline/schedule.ts";
import { parsePipeline } from "../../src/pipeline/schema.ts";
import { waitFor } from "../support/wait-for.ts";

/** Steps that begin and end as the test says: `a`, `b: []`, `c: [a, b]`. */
function openSteps(written: readonly string[], atOnce: number) {
  const steps = written.map((text) => {
    const [name = "", needs] = text.split(": ");
    return `  - { name: ${name}, image: x, run: "true"${needs === undefined ? "" : `, needs: ${needs}`} }`;
  });
  const plan = planBuild(parsePipeline(`steps:\n${steps.join("\n")}\n`), {
    branch: "main",
    event: "push",
    onlySteps: undefined,
  });
  const working = new Map<string, (end: "passed" | "failed" | "allowed" | Error) => void>();
  const results = new Map<StepId, StepResult>();
  const over = runInOrder({
    steps: plan.steps,
    atOnce,
    results,
    async run(planned) {
      const ended = deferred<"passed" | "failed" | "allowed" | Error>();
      working.set(planned.id, ended.resolve);
      const end = await ended.promise;
      working.delete(planned.id);
      if (end instanceof Error) throw end;
      const failed = { ...nameOf(planned), state: "failed", durationMs: 0 } as const;
      return end === "passed"
        ? { ...failed, state: "passed" }
        : { ...failed, ...(end === "allowed" ? { allowed: true } : {}) };
    },
  });
  over.catch(() => undefined);
  return {
    over,
    async atWork(...names: readonly string[]) {
      await waitFor(`${names.join(" and ")} at work`, () => [...working.keys()].join() === names.join(), {
        seen: () => [...working.keys()],
      });
    },
    end: (name: string, end: "passed" | "failed" | "allowed" | Error) => working.get(name)?.(end),
    states: () => [...results].map(([id, { state }]) => `${id} ${state}`).toSorted(),
  };
}

describe("steps begin", () => {
  test("as soon as what they need is over, some at a time, in the order of the file", async () => {
    const { atWork, end, over, states } = openSteps(["a: []", "b: []", "c: []", "d: [a]", "e"], 2);
    await atWork("a", "b");
    end("b", "passed");
    await atWork("a", "c");
    end("a", "passed");
    await atWork("c", "d");
    end("d", "passed");
    end("c", "passed");
    await atWork("e");
    end("e", "passed");
    await over;
    expect(states()).toEqual(["a passed", "b passed", "c passed", "d passed", "e passed"]);
  });

  test("not behind a failure that is not allowed, nor behind what was skipped for one; others go on", async () => {
    const { atWork, end, over, states } = openSteps(["a: []", "b: []", "c: [a]", "d: [c]", "e: [b]"], 4);
    await atWork("a", "b");
    end("a", "failed");
    end("b", "allowed");
    await atWork("e");
    end("e", "passed");
    await over;
    expect(states()).toEqual(["a failed", "b failed", "c skipped", "d skipped", "e passed"]);
  });

  test("not after the machinery broke under one, and the fault is told when the others are over", async () => {
    const { atWork, end, over, states } = openSteps(["a: []", "b: []", "c: []"], 2);
    await atWork("a", "b");
    end("a", new Error("the engine is gone"));
    await atWork("b");
    let isOver = false;
    over.catch(() => {
      isOver = true;
    });
    end("b", "passed");
    await expect(over).rejects.toThrow("the engine is gone");
    expect([isOver, states()]).toEqual([true, ["b passed"]]);
  });
});
