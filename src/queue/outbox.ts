/**
 * What docker-ci says by itself, kept in Redis until a network has proven that it took it.
 *
 * A list for each room, in the order in which things happened; the entries are pushed by the very script that changes a build's
 * state (builds/store.ts), so none is forgotten and none is made twice. That is why this is not a BullMQ queue: a job cannot be
 * added inside another script, and the free version keeps no order within a group.
 */

import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Chat } from "../chat/chat.ts";
import { describeError } from "../errors.ts";
import { OUTBOX_CHANNEL, OUTBOX_ROOMS, OutboxEntry } from "./outbox-entry.ts";

const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 30_000;
/** A room whose list was filled while nobody listened to the channel is found by looking. */
const SWEEP_MS = 5_000;

export interface Outbox extends AsyncDisposable {
  /** Resolves once nothing waits for that network any more, or the signal aborts. */
  drained(network: string, signal: AbortSignal): Promise<void>;
}

/**
 * Delivers for the given chats until disposed of; what cannot be delivered waits for the next start. An entry leaves its list
 * after the network proved delivery, so a process killed between the two says one thing twice rather than never.
 * @param open gives a connection for the subscription.
 */
export function startOutbox(redis: Redis, open: () => Redis, chats: ReadonlyMap<string, Chat>, log: Logger): Outbox {
  const stopped = new AbortController();
  const busy = new Map<string, Promise<void>>();

  const deliver = async (list: string): Promise<void> => {
    let delayMs = RETRY_MIN_MS;
    while (!stopped.signal.aborted) {
      const head = await redis.lindex(list, 0);
      if (head === null) return;
      const entry = OutboxEntry.safeParse(parseJson(head));
      if (!entry.success) {
        log.error({ list, head: head.slice(0, 500) }, "dropped an outbox entry that cannot be read");
        await redis.lrem(list, 1, head);
        continue;
      }
      const { outgoing } = entry.data;
      const chat = chats.get(outgoing.room.network);
      if (chat === undefined) return;
      try {
        await chat.send({ ...outgoing, to: outgoing.to });
      } catch (error) {
        log.warn({ list, id: entry.data.id, reason: describeError(error) }, "could not deliver yet");
        await untilConnected(chat, jittered(delayMs), stopped.signal);
        delayMs = Math.min(delayMs * 2, RETRY_MAX_MS);
        continue;
      }
      await redis.lrem(list, 1, head);
      delayMs = RETRY_MIN_MS;
    }
  };

  const wake = (list: string): void => {
    if (stopped.signal.aborted || busy.has(list)) return;
    const work = deliver(list)
      .catch((error: unknown) => log.error({ err: error, list }, "outbox stopped for now"))
      .then(async () => {
        busy.delete(list);
        // An entry that came while the last look found the list empty would else wait for the sweep.
        if (
          !stopped.signal.aborted &&
          (await redis.llen(list).catch(() => 0 /* Redis is away; the sweep looks again */)) > 0
        ) {
          if (chats.has(networkOf(list))) wake(list);
        }
      });
    busy.set(list, work);
  };
  const sweep = async (): Promise<void> => {
    for (const list of await redis.smembers(OUTBOX_ROOMS)) wake(list);
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
  const timer = setInterval(() => {
    void sweep().catch((error: unknown) => log.warn({ reason: describeError(error) }, "could not look at the outbox"));
  }, SWEEP_MS);
  timer.unref();
  void sweep().catch((error: unknown) => log.warn({ reason: describeError(error) }, "could not look at the outbox"));

  return {
    async drained(network, signal) {
      while (!signal.aborted) {
        const lists = (await redis.smembers(OUTBOX_ROOMS)).filter((list) => networkOf(list) === network);
        const lengths = await Promise.all(lists.map((list) => redis.llen(list)));
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

function networkOf(list: string): string {
  return list.slice("docker-ci:outbox:room:".length).split("/", 1)[0] ?? "";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What cannot be parsed fails the schema right after, which is where it is reported.
    return undefined;
  }
}

/** Waits for the delay, or less when the network comes back first. */
async function untilConnected(chat: Chat, delayMs: number, signal: AbortSignal): Promise<void> {
  const back = new AbortController();
  const stopListening = chat.onState((state) => {
    if (state.kind === "connected") back.abort();
  });
  await sleep(delayMs, undefined, { signal: AbortSignal.any([signal, back.signal]) }).catch(() => {
    // Both aborts mean: look again now.
  });
  stopListening();
}

/** Between half of the delay and the whole, so that many rooms do not all try at once. */
function jittered(delayMs: number): number {
  return delayMs * (0.5 + Math.random() / 2);
}
