import { expect, test } from "vitest";
import { createSlackMemory } from "../../../adapters/slack/index.ts";
import { openRedis } from "../../support/redis.ts";
import { network } from "../../support/slack-bot.ts";

test("Redis keeps for a day what was heard and for a month what shows what, for each workspace", async () => {
  await using server = await openRedis();
  const redis = server.redis.commands;
  const memory = createSlackMemory(redis, network);
  expect(await memory.firstTime("event:Ev1")).toBe(true);
  expect(await createSlackMemory(redis, network).firstTime("event:Ev1")).toBe(false);
  expect(await memory.get("C1", "build-1")).toBeUndefined();
  const posted = { channel: "C1", ts: "1.2", thread: "1.1", final: true };
  await memory.set("C1", "build-1", posted);
  expect(await memory.get("C1", "build-1")).toEqual(posted);
  expect(await memory.get("C2", "build-1")).toBeUndefined();
  const lives = await Promise.all((await redis.keys("docker-ci:slack:work:*")).map((key) => redis.ttl(key)));
  expect(lives.toSorted((a, b) => a - b)).toEqual([86_400, 30 * 86_400].map((ttl) => expect.closeTo(ttl, -1)));
});
