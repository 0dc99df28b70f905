/** Records in a Redis hash that change together with the notices that come of it, and only while they are as they were read. */
import type { Redis } from "ioredis";
import type { z } from "zod";
import { OUTBOX_ROOMS, type OutboxEntry } from "../queue/outbox-entry.ts";
import { pushArguments, pushLua } from "../queue/push.ts";

/**
 * KEYS: the hash, rooms with an outbox. ARGV: field, the record as it was read ("" for none), the record to come ("" for none),
 * `pushArguments`. Returns 1, or 0 when somebody else was quicker.
 */
const CHANGE = `
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
if ARGV[3] == '' then redis.call('HDEL', KEYS[1], ARGV[1]) else redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) end
${pushLua({ rooms: 2, first: 4 })}return 1
`;

/** A record as it was read; handed back when it is changed. */
export interface Kept<T> {
  /** Undefined where there is none, or none that can be read. */
  readonly value: T | undefined;
  readonly json: string;
}

export interface KeptHash<T> {
  read(field: string): Promise<Kept<T>>;
  all(): Promise<ReadonlyMap<string, Kept<T>>>;
  /** @param next undefined takes it away. @returns false when it is not as it was read: read again. */
  change(
    field: string,
    before: Kept<T>,
    next: NoInfer<T> | undefined,
    entries?: readonly OutboxEntry[],
  ): Promise<boolean>;
}

export function keptHash<Schema extends z.ZodType>(
  redis: Redis,
  hash: string,
  schema: Schema,
): KeptHash<z.output<Schema>> {
  const kept = (json: string | null): Kept<z.output<Schema>> => ({
    json: json ?? "",
    value: json === null ? undefined : readJson(json, schema),
  });
  return {
    read: async (field) => kept(await redis.hget(hash, field)),
    async all() {
      return new Map(Object.entries(await redis.hgetall(hash)).map(([field, json]) => [field, kept(json)]));
    },
    async change(field, before, next, entries = []) {
      const json = next === undefined ? "" : JSON.stringify(next);
      const changed = await redis.eval(
        CHANGE,
        2,
        hash,
        OUTBOX_ROOMS,
        field,
        before.json,
        json,
        ...pushArguments(entries),
      );
      return changed === 1;
    },
  };
}

function readJson<Schema extends z.ZodType>(json: string, schema: Schema): z.output<Schema> | undefined {
  try {
    return schema.safeParse(JSON.parse(json)).data;
  } catch {
    // What is no JSON is no record; the next change writes a new one.
    return undefined;
  }
}
