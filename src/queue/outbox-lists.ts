/** The outbox's lists in Redis, as whoever delivers from them changes them. Each change is one script or one transaction. */
import type { Redis } from "ioredis";
import { z } from "zod";
import { OUTBOX_ROOMS, parseEntry, roomOfList } from "./outbox-entry.ts";

/** A hash: why the first entry of a list could not be delivered, for `!outbox` in any process. */
export const OUTBOX_TROUBLE = "docker-ci:outbox:trouble";
/** A list, newest first: what was given up because it can never be delivered. */
export const OUTBOX_DROPPED = "docker-ci:outbox:dropped";
const DROPPED_KEPT = 50;
const ID_KEPT = 100;

/** Why a room's first entry is still there. `nextAt`: when it is tried again, unless the network comes back before. */
export const Trouble = z.strictObject({
  reason: z.string(),
  tries: z.number().int().positive(),
  since: z.iso.datetime(),
  nextAt: z.iso.datetime(),
});
export type Trouble = z.infer<typeof Trouble>;

/** A note of an entry that was given up. What it said is not in it: it may have been for one person's eyes. */
export const Dropped = z.strictObject({
  network: z.string(),
  room: z.string(),
  at: z.iso.datetime(),
  reason: z.string(),
  /** The entry's; "" where it could not be read. */
  id: z.string(),
});
export type Dropped = z.infer<typeof Dropped>;

/** KEYS: list, rooms, trouble. ARGV: the entry, the list's key as it stands in the other two. */
const DONE = `
redis.call('LREM', KEYS[1], 1, ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[2])
if redis.call('LLEN', KEYS[1]) == 0 then redis.call('SREM', KEYS[2], ARGV[2]) end
`;

/**
 * KEYS: list. ARGV: how many entries were read, those entries, then what takes their place. Entries that were added behind them
 * stay. Returns 0, and changes nothing, when what was read is not what is there.
 */
const REPLACE = `
local count = tonumber(ARGV[1])
local present = redis.call('LRANGE', KEYS[1], 0, count - 1)
if #present ~= count then return 0 end
for i = 1, count do
  if present[i] ~= ARGV[i + 1] then return 0 end
end
redis.call('LTRIM', KEYS[1], count, -1)
for i = #ARGV, count + 2, -1 do redis.call('LPUSH', KEYS[1], ARGV[i]) end
return 1
`;

export type OutboxLists = ReturnType<typeof createOutboxLists>;

/** All methods reject when Redis does not answer. */
export function createOutboxLists(redis: Redis) {
  const done = async (list: string, json: string): Promise<void> => {
    await redis.eval(DONE, 3, list, OUTBOX_ROOMS, OUTBOX_TROUBLE, json, list);
  };
  return {
    known: () => redis.smembers(OUTBOX_ROOMS),
    length: (list: string) => redis.llen(list),
    head: (list: string) => redis.lindex(list, 0),
    all: (list: string) => redis.lrange(list, 0, -1),

    /** Takes a delivered entry off, and the room's trouble with it; an empty list is forgotten in the same step. */
    done,

    /** True when the entries were still there as they had been read. */
    async replace(list: string, before: readonly string[], after: readonly string[]): Promise<boolean> {
      return (await redis.eval(REPLACE, 1, list, before.length, ...before, ...after)) === 1;
    },

    /** Gives an entry up, and keeps a note of it. */
    async drop(list: string, json: string, reason: string, at: Date): Promise<void> {
      const id = (parseEntry(json)?.id ?? "").slice(0, ID_KEPT);
      const note: Dropped = { ...roomOfList(list), at: at.toISOString(), reason, id };
      await redis
        .multi()
        .lpush(OUTBOX_DROPPED, JSON.stringify(note))
        .ltrim(OUTBOX_DROPPED, 0, DROPPED_KEPT - 1)
        .exec();
      await done(list, json);
    },

    async trouble(list: string, trouble: Trouble): Promise<void> {
      await redis.hset(OUTBOX_TROUBLE, list, JSON.stringify(trouble));
    },
  };
}
