/** The queue wakes workers; the sweep finds what a crash left without a job, and a dead worker's build goes to another. */
import { describe, expect, test } from "vitest";
import { deferred } from "../../src/lifecycle.ts";
import { createBuildWorker, type JobOutcome } from "../../src/queue/build-queue.ts";
import type { Limits } from "../../src/queue/line.ts";
import { openRecords, type Records } from "../support/records.ts";
import { waitFor } from "../support/wait-for.ts";

/** A worker that notes which builds it was given. */
function startWorker(
  { redis, log }: Records,
  run: (number: number, lost: AbortSignal) => Promise<JobOutcome> = async () => "done",
  { concurrency = 1, limits = new Map() }: { concurrency?: number; limits?: Limits } = {},
) {
  const taken: number[] = [];
  const worker = createBuildWorker(redis.open(), { concurrency, limits, log }, async (number, lost) => {
    taken.push(number);
    return run(number, lost);
  });
  return { taken, worker, [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose]() };
}

describe("a queued build", () => {
  test("wakes a worker once, however often it is added", async () => {
    await using records = await openRecords();
    const build = await records.create();
    await Promise.all([records.queue.add(build), records.queue.add(build), records.queue.add(build)]);
    await records.queue.add(await records.create());
    await using worker = startWorker(records);
    await waitFor("both builds", () => worker.taken.length >= 2);
    expect(worker.taken).toEqual([1, 2]);
  });

  test("is taken out of the line", async () => {
    await using records = await openRecords();
    for (const build of [await records.create(), await records.create()]) await records.queue.add(build);
    const [first] = await records.store.inState("queued");
    if (first !== undefined) await records.queue.remove(first);
    await using worker = startWorker(records);
    await waitFor("the other build", () => worker.taken.length > 0);
    expect(worker.taken).toEqual([2]);
  });

  test("at work is not taken out, and one that is over needs no taking out", async () => {
    await using records = await openRecords();
    const build = await records.create();
    await records.queue.add(build);
    const go = deferred<JobOutcome>();
    await using worker = startWorker(records, () => go.promise);
    await waitFor("it to be at work", () => worker.taken.length > 0);
    await records.queue.remove(build);
    expect(worker.worker.active.size).toBe(1);
    go.resolve("done");
    await waitFor("it to be over", () => worker.worker.active.size === 0);
    await records.queue.remove(build);
  });

  test("that a worker takes while it is being taken out harms neither", async () => {
    await using records = await openRecords();
    await using _worker = startWorker(records);
    for (let round = 0; round < 200; round += 1) {
      const build = await records.create();
      await Promise.all([records.queue.add(build), records.queue.remove(build)]);
    }
    expect(records.entries(40)).toEqual([]);
  });

  test("more than a worker can take wait for their turn, in order (O-28)", async () => {
    await using records = await openRecords();
    for (let count = 0; count < 5; count += 1) await records.queue.add(await records.create());
    let most = 0;
    await using worker = startWorker(
      records,
      async () => {
        most = Math.max(most, worker.worker.active.size);
        await new Promise((resolve) => setImmediate(resolve));
        return "done";
      },
      { concurrency: 2 },
    );
    await waitFor("all", () => worker.taken.length === 5 && worker.worker.active.size === 0);
    expect(worker.taken).toEqual([1, 2, 3, 4, 5]);
    expect(most).toBeLessThanOrEqual(2);
  });
});

describe("the sweep", () => {
  test("gives a job to a build whose record was written, and its process killed before it was queued", async () => {
    await using records = await openRecords();
    await records.create();
    await using worker = startWorker(records);
    await records.queue.sweep();
    await waitFor("the build", () => worker.taken.length > 0);
    expect(worker.taken).toEqual([1]);
    expect(records.entries(40)).toMatchObject([
      { msg: "build had no job; queued it again", build: 1, state: "queued" },
    ]);
  });

  test("gives a job to a running build whose worker and job are gone", async () => {
    await using records = await openRecords();
    await records.begin(await records.create());
    await records.queue.sweep();
    await using worker = startWorker(records);
    await waitFor("the build", () => worker.taken.length > 0);
    expect(worker.taken).toEqual([1]);
  });

  test("leaves alone what has a job, and what is over", async () => {
    await using records = await openRecords();
    await records.queue.add(await records.create());
    const over = await records.create();
    await records.store.transition(over, { kind: "cancelled", finishedAt: over.requestedAt, by: "ada" });
    await records.queue.sweep();
    expect(records.entries(40)).toEqual([]);
    await using worker = startWorker(records);
    await waitFor("the build", () => worker.taken.length > 0);
    expect(worker.taken).toEqual([1]);
  });

  test("gives a new job to a build whose job failed by a fault of ours", async () => {
    await using records = await openRecords();
    await records.queue.add(await records.create());
    let isBroken = true;
    await using worker = startWorker(records, async () => {
      if (!isBroken) return "done";
      isBroken = false;
      throw new Error("a bug");
    });
    await waitFor("the failure", () => records.entries(50).length > 0);
    expect(records.entries(50)).toMatchObject([{ build: 1, err: { message: "a bug" } }]);
    await records.queue.sweep();
    await waitFor("the second try", () => worker.taken.length === 2);
  });
});

test("a worker that dies loses its build to another", {
  timeout: 40_000,
}, async () => {
  await using records = await openRecords();
  await records.queue.add(await records.create());
  // Its connection goes down for good, as that of a machine whose cable was pulled: it cannot renew its lock.
  const cable = records.redis.open();
  const heard: string[] = [];
  const dead = createBuildWorker(cable, { concurrency: 1, limits: new Map(), log: records.log }, (number, lost) => {
    heard.push(`took ${number}`);
    return new Promise((resolve) => lost.addEventListener("abort", () => resolve("done")));
  });
  await waitFor("the first worker to take it", () => heard.length > 0);
  cable.disconnect();
  await using second = startWorker(records);
  await waitFor("the second worker to take it", () => second.taken.length > 0, { timeoutMs: 30_000 });
  expect(second.taken).toEqual([1]);
  await dead[Symbol.asyncDispose]();
});

test("a build that is given back is taken again", async () => {
  await using records = await openRecords();
  await records.queue.add(await records.create());
  let tries = 0;
  await using worker = startWorker(records, async () => {
    tries += 1;
    return tries === 1 ? "give-back" : "done";
  });
  await waitFor("the second try", () => worker.taken.length === 2);
  expect(worker.taken).toEqual([1, 1]);
});
