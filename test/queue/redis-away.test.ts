/** What people are told while Redis is away. */
import { expect, test } from "vitest";
import { isRedisAway } from "../../src/queue/redis.ts";
import { redisAwayWords } from "../../src/queue/redis-away.ts";
import { configOf } from "../support/records.ts";
import { fill, smallDisk } from "../support/small-disk.ts";

const AWAY = new Error("Connection is closed.");
const embedded = (dataDir: string) => ({ ...configOf(""), dataDir });

test("a full disk under the Redis that docker-ci runs itself is named, with what mends it", async () => {
  await using disk = await smallDisk(8);
  const away = { wrong: "Redis does not answer", mend: "Try again in a minute; the log has the details." };
  expect(await redisAwayWords(AWAY, embedded(disk.path))).toEqual(away);
  using _full = await fill(disk);
  expect(await redisAwayWords(AWAY, embedded(disk.path))).toEqual({
    wrong: "the disk of the data folder is full (0 B of 8 MiB are free), and Redis cannot write",
    mend: "Make room there: docker-ci goes on by itself.",
  });
  // Of a Redis elsewhere our own disk says nothing.
  const elsewhere = { ...configOf("redis: redis://10.0.0.5:6379/0"), dataDir: disk.path };
  expect(await redisAwayWords(AWAY, elsewhere)).toEqual(away);
});

test("a Redis that says that it cannot write is away, and why is said", async () => {
  const error = new Error("MISCONF Errors writing to the AOF file: No space left on device");
  expect(isRedisAway(error)).toBe(true);
  expect((await redisAwayWords(error, embedded("/"))).wrong).toBe("Redis cannot write to its disk");
});
