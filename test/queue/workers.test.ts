/** Who works: workers tell of themselves, and fade when they stop. */
import { expect, test } from "vitest";
import { PROTOCOL } from "../../src/queue/protocol.ts";
import { announceWorker, listWorkers } from "../../src/queue/workers.ts";
import { clock, NOW } from "../support/records.ts";
import { openRedis } from "../support/redis.ts";
import { WORKER } from "../support/talk.ts";
import { waitFor } from "../support/wait-for.ts";

test("a worker is listed with what it is at, two on one machine are two, and one that ends is gone at once", async () => {
  await using server = await openRedis();
  const { commands } = server.redis;
  let active: number[] = [];
  const describe = () => ({
    name: "big-1",
    engine: "Docker 20",
    slots: 2,
    active,
    version: "1.0.0",
    labels: ["amd64"],
    protocol: PROTOCOL,
  });
  const first = announceWorker(commands, describe, clock, server.log);
  await using _second = announceWorker(commands, () => ({ ...describe(), active: [] }), clock, server.log);
  await waitFor("both", async () => (await listWorkers(commands)).length === 2);
  active = [42];
  first.beat();
  const listed = await waitFor("the change", async () => {
    const workers = await listWorkers(commands);
    return workers.some((worker) => worker.active.length > 0) ? workers : undefined;
  });
  expect(listed.map((worker) => worker.active).toSorted()).toEqual([[], [42]]);
  expect(listed[0]).toMatchObject({
    name: "big-1",
    slots: 2,
    labels: ["amd64"],
    draining: false,
    seenAt: NOW.toISOString(),
  });
  await first[Symbol.asyncDispose]();
  expect((await listWorkers(commands)).map((worker) => worker.active)).toEqual([[]]);
});

test("one that was killed fades within seconds, and is forgotten", async () => {
  await using server = await openRedis();
  const { commands } = server.redis;
  await commands.set("docker-ci:worker:dead", JSON.stringify(WORKER), "PX", 50);
  await commands.sadd("docker-ci:workers", "dead");
  expect(await listWorkers(commands)).toEqual([WORKER]);
  await waitFor("it to fade", async () => (await listWorkers(commands)).length === 0);
  expect(await commands.smembers("docker-ci:workers")).toEqual([]);
});

test("one of a newer version may say more than we understand", async () => {
  await using server = await openRedis();
  const { commands } = server.redis;
  await commands.set("docker-ci:worker:new", JSON.stringify({ ...WORKER, version: "9.0.0", mood: "good" }));
  await commands.sadd("docker-ci:workers", "new");
  expect(await listWorkers(commands)).toEqual([{ ...WORKER, version: "9.0.0" }]);
});
