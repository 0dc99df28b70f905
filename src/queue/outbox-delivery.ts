/** Delivering one room's list, entry after entry, until it is empty or nobody can deliver it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { Chat } from "../chat/chat.ts";
import type { Clock } from "../clock.ts";
import { describeError, RuntimeError } from "../errors.ts";
import { type DigestLimits, since, withDigest } from "./outbox-digest.ts";
import { parseEntry, roomOfList } from "./outbox-entry.ts";
import type { OutboxLists } from "./outbox-lists.ts";

const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 30_000;

export interface DeliveryDeps {
  readonly lists: OutboxLists;
  readonly chats: ReadonlyMap<string, Chat>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where a digest sends people who want to read all of it. */
  readonly url: string | undefined;
  readonly digest: DigestLimits;
  readonly signal: AbortSignal;
}

/**
 * Gives a function that delivers what is in a list; one call at a time for each list. It resolves when the list is empty, its
 * network is unknown or the signal aborts, and rejects when Redis does not answer: then somebody looks again later.
 */
export function createDelivery({ lists, chats, clock, log, url, digest, signal }: DeliveryDeps) {
  /** What a network took while Redis did not answer: to be taken off, and not to be said again. */
  const taken = new Map<string, string>();

  /** Puts a digest in the place of old notices; true when the list is another one now. */
  async function folded(list: string): Promise<boolean> {
    const before = (await lists.all(list)).map((json) => ({ json, entry: parseEntry(json) }));
    const now = clock.now();
    const after = withDigest(before, { now, url, limits: digest });
    if (after === undefined) return false;
    const jsons = before.map(({ json }) => json);
    if (!(await lists.replace(list, jsons, after))) return false;
    log.info({ list, notices: before.length - after.length + 1 }, "folded old notices into a digest");
    return true;
  }

  return async (list: string): Promise<void> => {
    const chat = chats.get(roomOfList(list).network);
    if (chat === undefined) return;
    let delayMs = RETRY_MIN_MS;
    let failed: { tries: number; readonly since: string } | undefined;
    // Only what has waited for a chat is folded, not what waits its turn behind others that go out.
    let mayFold = true;
    while (!signal.aborted) {
      const head = await lists.head(list);
      if (head === null) return;
      if (taken.get(list) === head) {
        await lists.done(list, head);
        taken.delete(list);
        continue;
      }
      const entry = parseEntry(head);
      if (entry === undefined) {
        log.error({ list, head: head.slice(0, 500) }, "dropped an outbox entry that cannot be read");
        await lists.drop(list, head, "it cannot be read", clock.now());
        continue;
      }
      if (mayFold && chat.state.kind === "connected") {
        mayFold = false;
        const old = clock.now().getTime() - Date.parse(since(entry)) >= digest.olderMs;
        if (old && (await folded(list))) continue;
      }
      try {
        await chat.send({ ...entry.outgoing, to: entry.outgoing.to, id: entry.id });
      } catch (error) {
        const reason = describeError(error);
        if (error instanceof RuntimeError && !error.retryable) {
          log.error({ list, id: entry.id, reason }, "dropped an outbox entry that can never be delivered");
          await lists.drop(list, head, reason, clock.now());
          continue;
        }
        log.warn({ list, id: entry.id, reason }, "could not deliver yet");
        failed = { tries: (failed?.tries ?? 0) + 1, since: failed?.since ?? clock.now().toISOString() };
        const waitMs = jittered(delayMs);
        const nextAt = new Date(clock.now().getTime() + waitMs).toISOString();
        await lists.trouble(list, { ...failed, reason, nextAt }).catch((cause: unknown) => {
          log.warn({ list, reason: describeError(cause) }, "could not note why a room waits");
        });
        await untilConnected(chat, waitMs, signal);
        delayMs = Math.min(delayMs * 2, RETRY_MAX_MS);
        mayFold = true;
        continue;
      }
      taken.set(list, head);
      await lists.done(list, head);
      taken.delete(list);
      delayMs = RETRY_MIN_MS;
      failed = undefined;
    }
  };
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
