/** Puts messages up for delivery: inside the script that changes a record, or by itself. */
import type { Redis } from "ioredis";
import { RuntimeError } from "../errors.ts";
import { OUTBOX_CHANNEL, OUTBOX_ROOMS, type OutboxEntry, outboxKey } from "./outbox-entry.ts";

/**
 * The part of a script that puts entries up for delivery. It takes the arguments of `pushArguments`, which are the script's last,
 * the first of them being `ARGV[first]`, and the set of rooms as `KEYS[rooms]`.
 */
export function pushLua({ rooms, first }: { readonly rooms: number; readonly first: number }): string {
  return `
for i = ${first + 1}, #ARGV, 2 do
  redis.call('RPUSH', ARGV[i], ARGV[i + 1])
  redis.call('SADD', KEYS[${rooms}], ARGV[i])
  redis.call('PUBLISH', ARGV[${first}], ARGV[i])
end
`;
}

/** The channel that wakes whoever delivers, then pairs of a room's list and an entry. */
export function pushArguments(entries: readonly OutboxEntry[]): string[] {
  return [OUTBOX_CHANNEL, ...entries.flatMap((entry) => [outboxKey(entry.outgoing.room), JSON.stringify(entry)])];
}

/**
 * KEYS: hash, rooms with an outbox. ARGV: field, its value as it was read, the value to come ("" for none), `pushArguments`.
 * Returns 1, or 0 when somebody else was quicker.
 */
const SETTLE = `
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
if ARGV[3] == '' then redis.call('HDEL', KEYS[1], ARGV[1]) else redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) end
${pushLua({ rooms: 2, first: 4 })}return 1
`;

/**
 * Changes one field of a hash together with what is to be said of it, so that each thing is said once.
 * @param before the value as it was read, "" for none. @param next "" takes it out. @returns false when it changed meanwhile.
 */
export async function settleField(
  redis: Redis,
  hash: string,
  field: string,
  before: string,
  next: string,
  entries: readonly OutboxEntry[],
): Promise<boolean> {
  const args = [field, before, next, ...pushArguments(entries)];
  return (await redis.eval(SETTLE, 2, hash, OUTBOX_ROOMS, ...args)) === 1;
}

/**
 * Puts the entries at the end of their rooms' lists, in the order given, all or none, and wakes whoever delivers.
 * Nothing looks for an entry of the same id: who must not say a thing twice asks before.
 * @throws RuntimeError when Redis does not take them; they may then be there or not.
 */
export async function pushOutbox(redis: Redis, entries: readonly OutboxEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const transaction = redis.multi();
  for (const entry of entries) {
    const list = outboxKey(entry.outgoing.room);
    transaction.rpush(list, JSON.stringify(entry)).sadd(OUTBOX_ROOMS, list).publish(OUTBOX_CHANNEL, list);
  }
  let answers: [error: Error | null, result: unknown][] | null;
  try {
    answers = await transaction.exec();
  } catch (error) {
    throw new RuntimeError("Redis did not take what is to be said", { cause: error });
  }
  for (const [error] of answers ?? []) {
    if (error !== null) throw new RuntimeError("Redis did not take what is to be said", { cause: error });
  }
}
