/** Builds that ask for a worker with more than others have, workers that drain, and those that speak otherwise than the bot. */
import { describe, expect, test } from "vitest";
import { type BuildWorker, createBuildWorker, type JobOutcome } from "../../src/queue/build-queue.ts";
import { createLine, type TakingWorker } from "../../src/queue/line.ts";
import { announceProtocol, PROTOCOL } from "../../src/queue/protocol.ts";
import { watchGate } from "../../src/queue/worker-gate.ts";
import type { WorkerStatus } from "../../src/queue/worker-status.ts";
import { listWorkers } from "../../src/queue/workers.ts";
import { configOf, openRecords, type Records } from "../support/records.ts";
import { openTalk, WORKER } from "../support/talk.ts";
import { waitFor } from "../support/wait-for.ts";

const small: TakingWorker = { name: "small", labels: ["amd64"], protocol: PROTOCOL, knownOnly: false };
const big: TakingWorker = { name: "big", labels: ["amd64", "big"], protocol: PROTOCOL, knownOnly: false };

async function queued(records: Records, labels?: string[], project = "hello") {
  const build = await records.create(project, labels === undefined ? {} : { labels });
  await records.queue.add(build);
  return build;
}

/** What that worker is given, one after the other, until there is nothing for it. */
async function givenTo({ redis, config }: Records, worker: TakingWorker): Promise<number[]> {
  const line = createLine(redis.commands);
  const given: number[] = [];
  for (;;) {
    const { number } = await line.take({ job: `${worker.name}-${given.length}`, token: "t" }, config.projects, worker);
    if (number === undefined) return given;
    given.push(number);
  }
}

async function opened(): Promise<Records> {
  const records = await openRecords();
  await announceProtocol(records.redis.commands);
  return records;
}

interface Working extends AsyncDisposable {
  readonly worker: BuildWorker;
  readonly taken: number[];
}

function work(
  records: Records,
  who: TakingWorker,
  outcome: (n: number) => Promise<JobOutcome> = async () => "done",
): Working {
  const taken: number[] = [];
  const how = { concurrency: 1, limits: records.config.projects, log: records.log, taking: () => who };
  const worker = createBuildWorker(records.redis.open(), how, async (number) => {
    taken.push(number);
    return outcome(number);
  });
  return { worker, taken, [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose]() };
}

describe("labels", () => {
  test("a build that asks for more goes to a worker that has it, and others of its project go past it", async () => {
    await using records = await opened();
    await queued(records, ["big"]);
    await queued(records);
    expect(await givenTo(records, small)).toEqual([2]);
    await queued(records);
    expect(await givenTo(records, big)).toEqual([1, 3]);
  });

  test("a build that begun and that nobody has waits for a worker that fits, too", async () => {
    await using records = await opened();
    await createLine(records.redis.commands).add(
      await records.begin(await records.create("hello", { labels: ["big"] })),
    );
    expect(await givenTo(records, small)).toEqual([]);
    expect(await givenTo(records, big)).toEqual([1]);
  });

  test("of a group the order stays: what comes behind a build that nobody fits waits with it", async () => {
    await using records = await openRecords(
      configOf("projects: { hello: { repo: /r, group: disk }, docker: { repo: /r, group: disk } }"),
    );
    await announceProtocol(records.redis.commands);
    await queued(records, ["big"]);
    await queued(records, undefined, "docker");
    expect(await givenTo(records, small)).toEqual([]);
    expect(await givenTo(records, big)).toEqual([1]);
  });

  test("a worker alone leaves projects that it does not know to others", async () => {
    await using records = await opened();
    await queued(records, undefined, "gone");
    await queued(records);
    expect(await givenTo(records, { ...small, knownOnly: true })).toEqual([2]);
    expect(await givenTo(records, { ...small, name: "beside-the-bot" })).toEqual([1]);
  });

  test("the wake goes on from idle workers that have no use for it to the one that has, long before the sweep", async () => {
    await using records = await opened();
    const idle = ["a", "b", "c", "d"].map((name) => work(records, { ...small, name }));
    await using fitting = work(records, big);
    await queued(records);
    await waitFor("the workers to be up", () => [...idle, fitting].some(({ taken }) => taken.length > 0));
    const began = Date.now();
    await queued(records, ["big"]);
    await waitFor("the labelled build", () => fitting.taken.includes(2));
    expect(Date.now() - began).toBeLessThan(3_000);
    expect(idle.flatMap(({ taken }) => taken)).not.toContain(2);
    for (const one of idle) await one[Symbol.asyncDispose]();
  });

  test("what the project asks for is in the record, and !queue says what a build waits for", async () => {
    await using records = await openRecords(configOf("projects: { hello: { repo: /r, labels: [arm64, big] } }"));
    const talk = openTalk(records, { workers: [WORKER] });
    await records.builds.request({
      project: records.builds.project("hello").name,
      ref: (await records.create()).ref,
      requester: (await records.create()).requester,
    });
    expect((await records.store.inState("queued")).at(-1)?.labels).toEqual(["arm64", "big"]);
    expect((await talk.ask("!queue")).join("\n")).toContain("hello #3 for ada");
    expect((await talk.ask("!queue")).join("\n")).toContain("waits for a worker with arm64 and big");
    const able: WorkerStatus = { ...WORKER, name: "big-2", labels: ["arm64", "big"] };
    const answer = await openTalk(records, { network: "other", workers: [WORKER, able] }).ask("!queue");
    expect(answer.join("\n")).not.toContain("waits for a worker");
  });

  test("a build that is passed on stands in line again for a worker that fits, and goes there", async () => {
    await using records = await opened();
    await queued(records);
    await using first = work(records, small, async (number) => {
      const [build] = await records.store.many([String(number)]);
      if (build === undefined) throw new Error("there is one");
      const running = await records.begin(build);
      const passed = await records.store.transition(running, { kind: "queued" }, { labels: ["big"] });
      return passed === undefined ? "done" : { passOn: passed };
    });
    await waitFor("it to be passed on", () => first.taken.length === 1);
    await using second = work(records, big);
    await waitFor("the other", () => second.taken.includes(1));
    expect(first.taken).toEqual([1]);
  });
});

describe("a worker that drains", () => {
  test("takes nothing, also not what its job had, and takes it again when it is undrained", async () => {
    await using records = await opened();
    const talk = openTalk(records, { workers: [WORKER] });
    const mine: TakingWorker = { ...small, name: "big-1" };
    await queued(records);
    const line = createLine(records.redis.commands);
    await line.take({ job: "j", token: "1" }, records.config.projects, mine);
    expect(await talk.ask("!drain big-1", { account: "ada", trusted: true })).toEqual([
      expect.stringContaining("big-1 takes no more builds · it is idle · !undrain big-1 lets it take some again"),
    ]);
    expect(await line.take({ job: "j", token: "2" }, records.config.projects, mine)).toMatchObject({
      number: undefined,
      elsewhere: true,
    });
    expect(await givenTo(records, { ...small, name: "other" })).toEqual([1]);
    await queued(records);
    expect(await givenTo(records, mine)).toEqual([]);
    await talk.ask("!undrain big-1", { account: "ada", trusted: true });
    expect(await givenTo(records, { ...mine, name: "big-1" })).toEqual([2]);
  });

  test("is said to be, its slots count no more, and an unknown one is told the nearest", async () => {
    await using records = await opened();
    const talk = openTalk(records, { workers: [{ ...WORKER, draining: true, active: [7], labels: ["amd64", "big"] }] });
    expect(await talk.ask("!workers")).toEqual([
      expect.stringContaining("big-1: 1 of 2 slots in use · building #7 · draining: takes no more · amd64, big"),
    ]);
    expect((await talk.ask("!drain bgi-1", { trusted: true })).join()).toMatch(/no worker "bgi-1" is up.*big-1/);
    expect((await talk.ask("!drain big-1")).join()).toContain("takes the role developer");
  });
});

describe("a worker of another protocol", () => {
  test("takes nothing, and is told why", async () => {
    await using records = await opened();
    await queued(records);
    await announceProtocol(records.redis.commands, PROTOCOL + 1);
    expect(await givenTo(records, small)).toEqual([]);
    const { commands } = records.redis;
    const { draining: _, ...status } = { ...WORKER, protocol: PROTOCOL };
    await commands.set("docker-ci:worker:x", JSON.stringify(status));
    await commands.sadd("docker-ci:workers", "x");
    expect(await listWorkers(commands)).toMatchObject([
      { refused: `it speaks protocol ${PROTOCOL} and docker-ci speaks ${PROTOCOL + 1}: run the same version on both` },
    ]);
    await announceProtocol(commands);
    expect((await listWorkers(commands))[0]?.refused).toBeUndefined();
    expect(await givenTo(records, small)).toEqual([1]);
  });

  test("sees it at its start and when it changes", async () => {
    await using records = await openRecords();
    const said: (string | undefined)[] = [];
    const { commands } = records.redis;
    const gate = { redis: commands, subscriber: records.redis.open(), worker: "big-1", log: records.log, lookMs: 20 };
    await using _watch = await watchGate({ ...gate, changed: (reason) => said.push(reason) });
    expect(said).toEqual(["no docker-ci has been started on this Redis yet"]);
    await announceProtocol(commands);
    await waitFor("it to be let go", () => said.length === 2 && said[1] === undefined);
    await records.builds.drains.drain("big-1", "ada");
    await waitFor("the drain", () => said[2] === "it drains");
  });
});
