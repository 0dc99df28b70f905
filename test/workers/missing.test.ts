/** A worker that falls silent is told of once, and once more when it is back; one that stops as it should is not missed. */
import { expect, test } from "vitest";
import { roomOf } from "../../src/incidents/recipients.ts";
import { NetworkName } from "../../src/names.ts";
import { lookForMissing } from "../../src/queue/missing-workers.ts";
import { outboxKey, parseEntry } from "../../src/queue/outbox-entry.ts";
import { PROTOCOL } from "../../src/queue/protocol.ts";
import { announceWorker } from "../../src/queue/workers.ts";
import { configOf, openRecords } from "../support/records.ts";
import { waitFor } from "../support/wait-for.ts";

const CONFIG = configOf("irc: [{ name: libera, host: h, channels: ['#dev'] }]\nnotify: { rooms: [libera/#dev] }");
const ROOM = outboxKey(roomOf({ network: NetworkName.parse("libera"), room: "#dev" }));
const STATUS = { engine: "x", slots: 2, active: [41, 42], version: "1.0.0", labels: [], protocol: PROTOCOL };

async function openScene() {
  const records = await openRecords();
  let nowMs = Date.parse("2026-03-01T12:00:00Z");
  const clock = { now: () => new Date(nowMs) };
  const redis = records.redis.commands;
  const scene = { config: CONFIG, redis, clock, log: records.log };
  return {
    records,
    redis,
    look: (misses = true) => lookForMissing(scene, misses),
    later(seconds: number) {
      nowMs += seconds * 1_000;
    },
    announce: (name: string) => announceWorker(redis, () => ({ name, ...STATUS }), clock, records.log),
    /** As if it had been killed: its word fades without another. */
    fade: async () => {
      const keys = await redis.keys("docker-ci:worker:*");
      if (keys.length > 0) await redis.del(...keys);
    },
    said: async () =>
      (await redis.lrange(ROOM, 0, -1)).flatMap((json) => parseEntry(json)?.outgoing.reply.lines[0]?.facts ?? []),
    [Symbol.asyncDispose]: () => records[Symbol.asyncDispose](),
  };
}

test("who is killed is missed once, with the builds that go elsewhere, and once told to be back", async () => {
  await using scene = await openScene();
  await using beating = scene.announce("big-1");
  await waitFor("it to be heard of", async () => (await scene.redis.scard("docker-ci:workers")) === 1);
  await scene.look();
  await scene.fade();
  scene.later(18);
  await scene.look(false);
  expect(await scene.said()).toEqual([]);
  await scene.look();
  await scene.look();
  const missed = ["worker big-1 has not been heard of for 18s", "#41, #42 begin anew on another"];
  expect(await scene.said()).toEqual(missed);
  scene.later(190);
  beating.beat();
  await waitFor("it to be heard of", async () => (await scene.redis.scard("docker-ci:workers")) === 1);
  await scene.look();
  await scene.look();
  expect(await scene.said()).toEqual([...missed, "worker big-1 is back after 3m"]);
});

test("who stops as it should is not missed, also when nobody looked meanwhile", async () => {
  await using scene = await openScene();
  for (const looks of [true, false]) {
    const beating = scene.announce("big-1");
    await waitFor("it to be heard of", async () => (await scene.redis.exists("docker-ci:workers")) === 1);
    await scene.look();
    await beating[Symbol.asyncDispose]();
    if (looks) await scene.look();
    await scene.fade();
    scene.later(60);
    await scene.look();
  }
  expect(await scene.said()).toEqual([]);
  expect(await scene.redis.hgetall("docker-ci:workers:heard")).toEqual({});
});
