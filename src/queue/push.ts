/** Puts messages up for delivery, for whoever has no script of its own that does it together with its record's change. */
import type { Redis } from "ioredis";
import { RuntimeError } from "../errors.ts";
import { OUTBOX_CHANNEL, OUTBOX_ROOMS, type OutboxEntry, outboxKey } from "./outbox-entry.ts";

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
