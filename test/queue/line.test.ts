/** Which build is next: by who asked, how long it waits, and what its project and group allow; and that the forecast says the same. */
import { describe, expect, test } from "vitest";
import type { Build } from "../../src/builds/build.ts";
import { createBuilds } from "../../src/builds/builds.ts";
import { forecast } from "../../src/builds/forecast.ts";
import { ProjectName, TRIGGER_NETWORK } from "../../src/names.ts";
import { createBuildWorker } from "../../src/queue/build-queue.ts";
import { createLine, type Limits } from "../../src/queue/line.ts";
import { createPauses, pauseOf } from "../../src/queue/pauses.ts";
import { ADA, ago, clock, NOW, openRecords, type Records } from "../support/records.ts";
import { WORKER } from "../support/talk.ts";
import { waitFor } from "../support/wait-for.ts";

const MINUTE_S = 60;
const NOBODY = {
  name: "push",
  displayName: "bob",
  network: TRIGGER_NETWORK,
  room: { network: TRIGGER_NETWORK, kind: "direct" as const, name: "hello" },
};
const FREE: Limits = new Map();

function limits(entries: Readonly<Record<string, { max?: number; group?: string }>>): Limits {
  return new Map(
    Object.entries(entries).map(([name, { max, group }]) => [ProjectName.parse(name), { max, group }] as const),
  );
}

/** By whom, or by what, a build was asked for. */
const ASKED = {
  person: { requester: ADA },
  night: { requester: NOBODY, event: "nightly" },
  push: { requester: NOBODY, event: "push" },
  pull_request: { requester: NOBODY, event: "pull_request" },
} as const;

async function wait(
  records: Records,
  by: keyof typeof ASKED = "person",
  { project = "hello", minutesAgo = 0 }: { project?: string; minutesAgo?: number } = {},
): Promise<Build> {
  const build = await records.create(project, { ...ASKED[by], requestedAt: ago(minutesAgo * MINUTE_S) });
  await createLine(records.redis.commands).add(build);
  return build;
}

/** Free workers ask, one after the other, until nothing may begin. */
async function drain({ redis }: Records, rules: Limits, first = 1): Promise<number[]> {
  const line = createLine(redis.commands);
  const order: number[] = [];
  for (let job = first; ; job += 1) {
    const { number } = await line.take({ job: `job-${job}`, token: "t" }, rules);
    if (number === undefined) return order;
    order.push(number);
  }
}

/** One worker with one slot: each build is over before the next is asked for. */
async function oneByOne({ redis }: Records, rules: Limits): Promise<number[]> {
  const line = createLine(redis.commands);
  const taker = { job: "job", token: "t" };
  const order: number[] = [];
  for (;;) {
    const { number } = await line.take(taker, rules);
    if (number === undefined) return order;
    order.push(number);
    await line.release(number, taker);
  }
}

describe("priorities", () => {
  test("a person goes first, then pull requests, then pushes, then nights", async () => {
    await using records = await openRecords();
    for (const by of ["night", "push", "pull_request", "person", "person"] as const) await wait(records, by);
    expect(await drain(records, FREE)).toEqual([4, 5, 3, 2, 1]);
  });

  test("nobody starves: every ten minutes of waiting are worth a class", async () => {
    await using records = await openRecords();
    await wait(records, "night", { minutesAgo: 31 });
    await wait(records, "push", { minutesAgo: 9 });
    await wait(records, "push", { minutesAgo: 11 });
    await wait(records, "pull_request");
    await wait(records, "person");
    expect(await drain(records, FREE)).toEqual([1, 5, 3, 4, 2]);
  });

  test("a build that has begun and that nobody has goes on before all, whatever is held and full", async () => {
    await using records = await openRecords();
    const line = createLine(records.redis.commands);
    await wait(records);
    await line.add(await records.begin(await records.create("hello", ASKED.night)));
    await records.builds.pauses.pause(undefined, "ada");
    expect(await drain(records, limits({ hello: { max: 1 } }))).toEqual([2]);
  });
});

describe("max and groups", () => {
  test("of a project no more than max run, while others go past it (O-28)", async () => {
    await using records = await openRecords();
    for (const project of ["hello", "hello", "hello", "docker"]) await wait(records, "person", { project });
    const rules = limits({ hello: { max: 2 } });
    expect(await drain(records, rules)).toEqual([1, 2, 4]);
    await createLine(records.redis.commands).release((await records.store.inState("queued"))[1]?.number ?? never(), {
      job: "job-2",
      token: "t",
    });
    expect(await drain(records, rules, 9)).toEqual([3]);
  });

  test("a group's builds run one at a time, in the order of asking, whoever asked (O-28)", async () => {
    await using records = await openRecords();
    await wait(records, "night", { project: "hello" });
    await wait(records, "person", { project: "docker" });
    await wait(records, "push", { project: "docker-registry" });
    await wait(records, "person", { project: "hello" });
    const rules = limits({ hello: { group: "disk" }, docker: { group: "disk" } });
    expect(await drain(records, rules)).toEqual([1, 3]);
    await using others = await openRecords();
    await wait(others, "night", { project: "hello" });
    await wait(others, "person", { project: "docker" });
    await wait(others, "push", { project: "docker-registry" });
    expect(await oneByOne(others, rules)).toEqual([1, 2, 3]);
  });

  test("two workers with two slots each never pass a limit, and everything is built", { timeout: 30_000 }, async () => {
    await using records = await openRecords();
    const rules = limits({ hello: { max: 1 }, docker: { group: "disk" }, "docker-registry": { group: "disk" } });
    const atWork = new Map<number, string>();
    const projects = new Map<number, string>();
    const most = { hello: 0, disk: 0, all: 0 };
    const built: number[] = [];
    const run = async (number: number) => {
      atWork.set(number, projects.get(number) ?? "");
      const running = [...atWork.values()];
      const hello = running.filter((project) => project === "hello").length;
      most.hello = Math.max(most.hello, hello);
      most.disk = Math.max(most.disk, running.length - hello);
      most.all = Math.max(most.all, running.length);
      await new Promise((resolve) => setTimeout(resolve, 10));
      atWork.delete(number);
      built.push(number);
      return "done" as const;
    };
    const options = { concurrency: 2, limits: rules, log: records.log };
    await using _one = createBuildWorker(records.redis.open(), options, run);
    await using _two = createBuildWorker(records.redis.open(), options, run);
    for (let count = 0; count < 60; count += 1) {
      const build = await records.create(["hello", "docker", "docker-registry"][count % 3]);
      projects.set(build.number, build.project);
      await records.queue.add(build);
    }
    await waitFor("all", () => built.length >= 60, { timeoutMs: 20_000 });
    expect(built.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
    expect(most).toEqual({ hello: 1, disk: 1, all: 2 });
    expect(records.entries(40)).toEqual([]);
  });
});

describe("what is held", () => {
  test("waits until it is resumed, over a restart too, while the rest goes on", async () => {
    await using records = await openRecords();
    const { pauses } = records.builds;
    const taken: number[] = [];
    expect(await pauses.pause(ProjectName.parse("hello"), "ada")).toBeUndefined();
    await records.queue.add(await records.create("hello"));
    const options = { concurrency: 1, limits: FREE, log: records.log };
    await using _worker = createBuildWorker(records.redis.open(), options, async (number) => {
      taken.push(number);
      return "done";
    });
    await records.queue.add(await records.create("docker"));
    await waitFor("the other project", () => taken.length > 0);
    await records.queue.wake();
    expect(taken).toEqual([2]);
    // Whoever comes later, as another process does, finds it as it was.
    const later = createPauses(records.redis.commands, clock, () => records.queue.wake());
    expect(await later.pause(ProjectName.parse("hello"), "bob")).toMatchObject({ by: "ada" });
    expect(await later.resume(ProjectName.parse("hello"))).toEqual({
      project: "hello",
      by: "ada",
      since: NOW.toISOString(),
    });
    await waitFor("what was held", () => taken.length > 1);
    expect(taken).toEqual([2, 1]);
  });

  test("everything, and by whom nobody can read any more: it holds all the same", async () => {
    await using records = await openRecords();
    await records.redis.commands.hset("docker-ci:paused", "*", "{");
    await wait(records);
    expect(await drain(records, FREE)).toEqual([]);
    expect(await records.builds.pauses.all()).toMatchObject([{ project: undefined, by: "somebody" }]);
  });
});

test("the forecast plays the line out as it comes", { timeout: 30_000 }, async () => {
  const rules = limits({ hello: { max: 1 }, docker: { group: "disk" }, "docker-registry": { group: "disk" } });
  const whoever = Object.keys(ASKED).filter((by): by is keyof typeof ASKED => by in ASKED);
  for (let round = 0; round < 15; round += 1) {
    await using records = await openRecords();
    const waiting: Build[] = [];
    for (let count = 0; count < 12; count += 1) {
      const project = ["hello", "docker", "docker-registry"][Math.floor(Math.random() * 3)] ?? "hello";
      const by = whoever[Math.floor(Math.random() * whoever.length)] ?? "person";
      waiting.push(await wait(records, by, { project, minutesAgo: Math.floor(Math.random() * 40) }));
    }
    if (round % 3 === 0) await records.builds.pauses.pause(ProjectName.parse("docker"), "ada");
    const pauses = await records.builds.pauses.all();
    const expected = () => ({ medianMs: 60_000, p90Ms: 60_000, from: 3 });
    const line = { running: [], queued: waiting, slots: 1, expected, limits: rules };
    const told = forecast({ ...line, pauseOf: (project) => pauseOf(pauses, project) }, NOW);
    const begins = waiting
      .filter(({ number }) => told.get(number)?.beginsInMs !== undefined)
      .toSorted((a, b) => (told.get(a.number)?.before ?? 0) - (told.get(b.number)?.before ?? 0));
    expect(await oneByOne(records, rules)).toEqual(begins.map(({ number }) => number));
  }
});

test("the outlook says what each waits for", async () => {
  await using records = await openRecords();
  const config = { ...records.config, projects: new Map(records.config.projects) };
  for (const [name, project] of config.projects) {
    config.projects.set(name, {
      ...project,
      ...(name === "hello" ? { max: 1 } : { group: "disk" }),
    });
  }
  const { store, queue, redis, log } = records;
  const builds = createBuilds({ config, store, queue, revisions: undefined, redis: redis.commands, clock, log });
  await records.begin(await records.create("hello"));
  await records.begin(await records.create("docker"));
  for (const project of ["hello", "docker-registry", "docker"]) await wait(records, "person", { project });
  await builds.pauses.pause(ProjectName.parse("docker"), "ada");
  const outlook = await builds.outlook([{ ...WORKER, slots: 4 }]);
  expect(outlook.queued.map((build) => [build.number, outlook.forecast(build)?.waitsFor])).toEqual([
    [3, { kind: "project", number: 1, max: 1 }],
    [4, { kind: "group", number: 2, group: "disk" }],
    [5, { kind: "paused", pause: { project: "docker", by: "ada", since: NOW.toISOString() } }],
  ]);
});

function never(): never {
  throw new Error("there is one");
}
