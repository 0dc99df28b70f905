/** The build records: numbers, order, and that only one of many who want to change a build does. */
import { describe, expect, test } from "vitest";
import type { Build, BuildState, FinalState } from "../../src/builds/build.ts";
import { BuildAtWork, Overtaken } from "../../src/builds/build-at-work.ts";
import { announcements } from "../../src/builds/builds.ts";
import { type BuildStore, createBuildStore } from "../../src/builds/store.ts";
import { BuildNumber, GitRef, ProjectName, StepName } from "../../src/names.ts";
import { OutboxEntry, outboxKey } from "../../src/queue/outbox-entry.ts";
import { ADA, ago, clock, openRecords, type Records, revisionOf } from "../support/records.ts";
import { openRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait-for.ts";

const RUNNING: BuildState = { kind: "running", startedAt: ago(60), worker: "big-1" };
const PASSED: FinalState = { kind: "passed", startedAt: ago(60), finishedAt: ago(0) };
const FAILED: FinalState = { kind: "failed", startedAt: ago(60), finishedAt: ago(0), reason: "step tests, exit 1" };

async function announced({ redis }: Records): Promise<string[]> {
  const entries = await redis.commands.lrange(outboxKey(ADA.room), 0, -1);
  return entries.map((json) => OutboxEntry.parse(JSON.parse(json)).id);
}

const numbers = (builds: readonly Build[]): number[] => builds.map(({ number }) => number);

describe("one of many", () => {
  test("a doubled job cannot begin a build twice: of twenty that try, one does", async () => {
    await using records = await openRecords();
    const build = await records.create();
    const won = await Promise.all(
      Array.from({ length: 20 }, () => records.store.transition(build, RUNNING, { attempt: 1 })),
    );
    expect(won.filter((next) => next !== undefined)).toHaveLength(1);
    expect(await records.store.get(build.number)).toMatchObject({ attempt: 1, state: { kind: "running" } });
  });

  test("a worker that was taken for dead can neither go on nor overwrite the end that its successor wrote", async () => {
    await using records = await openRecords();
    const first = await records.begin(await records.create());
    const second = await records.begin(first);
    const end = await records.end(second, PASSED);

    expect(await records.store.transition(first, RUNNING, { steps: [] })).toBeUndefined();
    expect(await records.store.transition(first, FAILED)).toBeUndefined();
    expect(await records.store.transition(second, FAILED)).toBeUndefined();
    expect(await records.store.get(end.number)).toEqual(end);
  });

  test("a cancel and a worker that begin at once: either, never both", async () => {
    await using records = await openRecords();
    for (let round = 0; round < 10; round += 1) {
      const build = await records.create();
      const cancelled: FinalState = { kind: "cancelled", finishedAt: ago(0), by: "ada" };
      const both = await Promise.all([
        records.store.transition(build, cancelled),
        records.store.transition(build, RUNNING, { attempt: 1 }),
      ]);
      const winner = both.find((next) => next !== undefined);
      expect(both.filter((next) => next !== undefined)).toHaveLength(1);
      expect((await records.store.get(build.number))?.state.kind).toBe(winner?.state.kind);
    }
  });
});

describe("announcing an end", () => {
  test("it is put up when the end was written, once, however many wanted to write it", async () => {
    await using records = await openRecords();
    const build = await records.begin(await records.create());
    const announce = announcements({ ...build, state: PASSED }, "https://ci.example.org", clock);
    await Promise.all(Array.from({ length: 20 }, () => records.store.transition(build, PASSED, {}, announce)));
    expect(await announced(records)).toEqual(["build-1-passed"]);
  });

  test("a change that was overtaken announces nothing", async () => {
    await using records = await openRecords();
    const first = await records.begin(await records.create());
    await records.begin(first);
    const announce = announcements({ ...first, state: FAILED }, "https://ci.example.org", clock);
    expect(await records.store.transition(first, FAILED, {}, announce)).toBeUndefined();
    expect(await announced(records)).toEqual([]);
  });

  test("a build under way is not announced", async () => {
    await using records = await openRecords();
    await records.begin(await records.create());
    expect(await announced(records)).toEqual([]);
  });
});

describe("numbers", () => {
  // O-178: what builds leave behind is called by these
  test("they are counted over all projects, one for each of those who ask at once", async () => {
    await using records = await openRecords();
    const builds = await Promise.all(
      ["hello", "docker", "hello", "docker-registry"].map((name) => records.create(name)),
    );
    expect(numbers(builds).toSorted()).toEqual([1, 2, 3, 4]);
  });

  test("one is never used again, not after its build is over and not after a restart", async () => {
    await using server = await openRedis();
    const first = createBuildStore(server.redis.commands);
    const draft = {
      project: ProjectName.parse("hello"),
      ref: GitRef.parse("main"),
      requester: ADA,
      params: {},
      requestedAt: ago(0),
    };
    const build = await first.create(draft);
    await first.transition(build, { kind: "cancelled", finishedAt: ago(0), by: "ada" });
    const later = createBuildStore(server.redis.open());
    expect((await later.create(draft)).number).toBe(2);
  });

  test("a counter that somebody reset is noticed, and the record that was there stays", async () => {
    await using records = await openRecords();
    const kept = await records.create("hello");
    await records.redis.commands.del("docker-ci:builds:next");
    await expect(records.create("docker")).rejects.toThrow("build #1 exists already");
    expect(await records.store.get(kept.number)).toEqual(kept);
  });

  test("a number that nobody has is no build", async () => {
    await using records = await openRecords();
    expect(await records.store.get(BuildNumber.parse(7))).toBeUndefined();
  });
});

describe("lists", () => {
  test("the newest come first, of all projects or of one, as many as are asked for", async () => {
    await using records = await openRecords();
    for (const name of ["hello", "docker", "hello", "docker", "hello"]) await records.create(name);
    const [, hello] = await Promise.all([records.store.latest(1), records.create("hello")]);
    expect(numbers(await records.store.latest(3))).toEqual([6, 5, 4]);
    expect(numbers(await records.store.latest(2, hello.project))).toEqual([6, 5]);
    expect(numbers(await records.store.latest(100, hello.project))).toEqual([6, 5, 3, 1]);
  });

  test("what waits and what runs is listed oldest first, also past the tenth build, and what is over is in neither", async () => {
    await using records = await openRecords();
    const builds: Build[] = [];
    for (let count = 0; count < 12; count += 1) builds.push(await records.create());
    for (const build of builds.slice(0, 3)) await records.begin(build);
    const [, second] = await records.store.inState("running");
    if (second !== undefined) await records.end(second, PASSED);
    expect(numbers(await records.store.inState("running"))).toEqual([1, 3]);
    expect(numbers(await records.store.inState("queued"))).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  test("the newest finished build of a project is not one that still runs", async () => {
    await using records = await openRecords();
    const done = await records.end(await records.begin(await records.create()), FAILED);
    await records.begin(await records.create());
    expect((await records.store.lastFinished(done.project))?.number).toBe(1);
  });
});

test("every change is told to those who listen, with the whole record", async () => {
  await using records = await openRecords();
  const heard: string[] = [];
  const subscriber = records.redis.open();
  subscriber.on("message", (_channel: string, json: string) => heard.push(json));
  await subscriber.subscribe(records.store.eventChannel);
  const build = await records.begin(await records.create());
  await waitFor("two events", () => heard.length === 2);
  expect(JSON.parse(heard[1] ?? "")).toEqual({ build });
});

describe("a build at work whose writes are answered by a broken connection", () => {
  /** A store whose every first write is done, and its answer lost. */
  function deafStore(store: BuildStore): BuildStore {
    let isLost = false;
    return {
      ...store,
      async transition(...change) {
        const next = await store.transition(...change);
        isLost = !isLost;
        if (isLost) throw new Error("Connection is closed.");
        return next;
      },
    };
  }

  test("what was written counts as written, whatever changed", { timeout: 20_000 }, async () => {
    await using records = await openRecords();
    const build = await records.create("hello");
    const { revision: _, ...bare } = build;
    const store = deafStore(records.store);
    const record = new BuildAtWork({ config: records.config, store, clock, instance: "one" }, bare, records.log);
    await record.begin();
    await record.revision(revisionOf("7"));
    await record.steps([{ durationMs: 5, kind: "run", name: StepName.parse("tests"), state: "failed", exitCode: 1 }]);
    await record.finish({ reason: "step tests, exit 1", kind: "failed", finishedAt: ago(0), startedAt: ago(60) });
    expect(await records.store.get(build.number)).toMatchObject({
      state: FAILED,
      attempt: 1,
      revision: { author: "bob" },
    });
    expect(await announced(records)).toEqual(["build-1-failed"]);
  });

  test("what somebody else wrote meanwhile ends the work", async () => {
    await using records = await openRecords();
    const build = await records.begin(await records.create());
    const record = new BuildAtWork(
      { config: records.config, store: records.store, clock, instance: "one" },
      build,
      records.log,
    );
    await records.begin(build);
    await expect(record.steps([])).rejects.toThrow(Overtaken);
  });
});
