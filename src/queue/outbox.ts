/**
 * What docker-ci says by itself, kept in Redis until a network has proven that it took it.
 *
 * A list for each room, in the order in which things happened; the entries are pushed by the very script that changes a build's
 * state (builds/store.ts), so none is forgotten and none is made twice. That is why this is not a BullMQ queue: a job cannot be
 * added inside another script, and the free version keeps no order within a group.
 *
 * Said at least once, and all but always exactly once: an entry leaves its list in the first round trip to Redis after the network's
 * proof. A process that is killed between the moment a network relayed a line and that round trip says this one entry again after
 * its restart. A mark set before the sending would not help, since it cannot tell a line that went out from one that did not, and
 * no network can be asked; a chat that edits by `reply.key` (Slack) can make the second one replace the first. A Redis that goes
 * away in between makes no double: this process remembers what was taken.
 */

import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Chat } from "../chat/chat.ts";
import { type Clock, systemClock } from "../clock.ts";
import { describeError } from "../errors.ts";
import { createDelivery } from "./outbox-delivery.ts";
import { DIGEST_LIMITS, type DigestLimits } from "./outbox-digest.ts";
import { OUTBOX_CHANNEL, roomOfList } from "./outbox-entry.ts";
import { createOutboxLists } from "./outbox-lists.ts";

/** A room whose list was filled while nobody listened to the channel is found by looking. */
const SWEEP_MS = 5_000;

export interface Outbox extends AsyncDisposable {
  /** Resolves once nothing waits for that network any more, or the signal aborts. */
  drained(network: string, signal: AbortSignal): Promise<void>;
}

export interface OutboxOptions {
  /** Where a digest sends people who want to read all of it. */
  readonly url?: string;
  readonly clock?: Clock;
  /** When old notices become one digest; default: more than 8, the oldest of 15 minutes. */
  readonly digest?: DigestLimits;
}

/**
 * Delivers for the given chats until disposed of; what cannot be delivered waits for the next start, unless the chat said that it
 * never can be (a RuntimeError that is not retryable): then it is logged and given up, and the room goes on.
 * @param open gives a connection for the subscription.
 */
export function startOutbox(
  redis: Redis,
  open: () => Redis,
  chats: ReadonlyMap<string, Chat>,
  log: Logger,
  { url, clock = systemClock, digest = DIGEST_LIMITS }: OutboxOptions = {},
): Outbox {
  const stopped = new AbortController();
  const busy = new Map<string, Promise<void>>();
  const lists = createOutboxLists(redis);
  const deliver = createDelivery({ lists, chats, clock, log, url, digest, signal: stopped.signal });

  const wake = (list: string): void => {
    if (stopped.signal.aborted || busy.has(list) || !chats.has(roomOfList(list).network)) return;
    const work = deliver(list)
      .catch((error: unknown) => log.error({ err: error, list }, "outbox stopped for now"))
      .then(async () => {
        busy.delete(list);
        if (stopped.signal.aborted) return;
        // An entry that came while the last look found the list empty would else wait for the sweep.
        const left = await lists.length(list).catch(() => 0 /* Redis is away; the sweep looks again */);
        if (left > 0) wake(list);
      });
    busy.set(list, work);
  };
  const sweep = async (): Promise<void> => {
    for (const list of await lists.known()) wake(list);
  };

  const subscriber = open();
  subscriber.on("message", (_channel: string, list: string) => wake(list));
  // At every connection, the first and those after an outage: what was put up before the subscription held was not heard.
  const listen = async (): Promise<void> => {
    await subscriber.subscribe(OUTBOX_CHANNEL);
    await sweep();
  };
  subscriber.on("ready", () => {
    listen().catch((error: unknown) => {
      if (stopped.signal.aborted) return;
      log.warn({ reason: describeError(error) }, "no live news of the outbox; it is looked at every few seconds");
    });
  });
  const look = (): void => {
    void sweep().catch((error: unknown) => log.warn({ reason: describeError(error) }, "could not look at the outbox"));
  };
  const timer = setInterval(look, SWEEP_MS);
  timer.unref();
  look();

  return {
    async drained(network, signal) {
      while (!signal.aborted) {
        const waiting = (await lists.known()).filter((list) => roomOfList(list).network === network);
        const lengths = await Promise.all(waiting.map((list) => lists.length(list)));
        if (lengths.every((length) => length === 0)) return;
        await sleep(20, undefined, { signal }).catch(() => undefined /* the loop's condition sees the abort */);
      }
    },
    async [Symbol.asyncDispose]() {
      stopped.abort();
      clearInterval(timer);
      subscriber.disconnect();
      await Promise.race([Promise.allSettled(busy.values()), sleep(1_000, undefined, { ref: false })]);
    },
  };
}
