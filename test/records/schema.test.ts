/** Records of an older docker-ci are brought up to the form of a newer one; those of a newer one are left alone. */
import { expect, test } from "vitest";
import { checkRecords, type Migration, migrateRecords } from "../../src/records/schema.ts";
import { openRedis } from "../support/redis.ts";

/** Two of them, each of which counts how often it was run. */
const MIGRATIONS: readonly Migration[] = [2, 3].map((to) => ({
  to,
  what: `to ${to}`,
  async run(redis) {
    await redis.incr(`ran:${to}`);
  },
}));

test("an empty Redis, and records from before there were numbers, go through all of them once", async () => {
  await using server = await openRedis();
  const { commands } = server.redis;
  expect(await migrateRecords(commands, server.log, MIGRATIONS)).toEqual(["to 2", "to 3"]);
  expect(await commands.get("docker-ci:schema")).toBe("3");
  expect(await migrateRecords(commands, server.log, MIGRATIONS)).toEqual([]);
  expect(await commands.mget("ran:2", "ran:3")).toEqual(["1", "1"]);
});

test("only what is new is done, and without any the number is written", async () => {
  await using server = await openRedis();
  const { commands } = server.redis;
  await migrateRecords(commands, server.log, []);
  expect(await commands.get("docker-ci:schema")).toBe("1");
  await commands.set("docker-ci:schema", 2);
  expect(await migrateRecords(commands, server.log, MIGRATIONS)).toEqual(["to 3"]);
});

test("of several that start at once one does it", async () => {
  await using server = await openRedis();
  const { commands } = server.redis;
  await Promise.all([1, 2, 3, 4].map(() => migrateRecords(commands, server.log, MIGRATIONS)));
  expect(await commands.mget("ran:2", "ran:3")).toEqual(["1", "1"]);
});

test("one that breaks is begun again by the next start, and what was done before it stays done", async () => {
  await using server = await openRedis();
  const { commands } = server.redis;
  const breaking: Migration = { to: 3, what: "breaks", run: () => Promise.reject(new Error("killed")) };
  await expect(migrateRecords(commands, server.log, [...MIGRATIONS.slice(0, 1), breaking])).rejects.toThrow("killed");
  expect(await migrateRecords(commands, server.log, MIGRATIONS)).toEqual(["to 3"]);
  expect(await commands.mget("ran:2", "ran:3")).toEqual(["1", "1"]);
});

test("records of a newer docker-ci are refused with a sentence, by workers too", async () => {
  await using server = await openRedis();
  const { commands } = server.redis;
  await commands.set("docker-ci:schema", 4);
  const sentence =
    /the records in it are of form 4, and docker-ci \S+ knows them up to 3: start the version that wrote/;
  await expect(migrateRecords(commands, server.log, MIGRATIONS)).rejects.toThrow(sentence);
  await expect(checkRecords(commands, MIGRATIONS)).rejects.toThrow(sentence);
});
