/** Whether this worker may take builds: not while it drains, not while it speaks otherwise than the bot, and not while its disk is full. Looked at again and again. */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { describeError } from "../errors.ts";
import { DRAINING, WORKER_CHANNEL } from "./drains.ts";
import { PROTOCOL, PROTOCOL_KEY, protocolProblem } from "./protocol.ts";

const LOOK_MS = 5_000;

export interface Gate {
  readonly redis: Redis;
  /** A connection of its own, in subscriber mode from now on; not closed here. */
  readonly subscriber: Redis;
  readonly worker: string;
  readonly log: Logger;
  /** What else keeps it from taking builds, if something does; looked at with the rest. */
  also?(): string | undefined;
  /** Called with why it may not, or undefined when it may: at first, and whenever that changes. */
  changed(reason: string | undefined): void;
  readonly lookMs?: number;
}

export interface WatchedGate extends AsyncDisposable {
  /** Looks now: something has changed. Never throws. */
  look(): Promise<void>;
}

/** Watches until disposed of; the line (line.ts) keeps to the same by itself, so nothing hangs on how quick this is. */
export async function watchGate(gate: Gate): Promise<WatchedGate> {
  const { redis, subscriber, worker, log, also, changed, lookMs = LOOK_MS } = gate;
  let last: { readonly reason: string | undefined } | undefined;
  const look = async (): Promise<void> => {
    const [draining, protocol] = await Promise.all([redis.hexists(DRAINING, worker), redis.get(PROTOCOL_KEY)]);
    const reason = protocolProblem(protocol, PROTOCOL) ?? (draining === 1 ? "it drains" : also?.());
    if (last !== undefined && last.reason === reason) return;
    last = { reason };
    changed(reason);
  };
  const quietly = (): Promise<void> =>
    look().catch((error: unknown) =>
      log.debug({ reason: describeError(error) }, "could not look whether to take builds"),
    );
  subscriber.on("message", (channel: string, name: string) => {
    if (channel === WORKER_CHANNEL && name === worker) void quietly();
  });
  await subscriber.subscribe(WORKER_CHANNEL);
  const timer = setInterval(() => void quietly(), lookMs);
  timer.unref();
  await look();
  return {
    look: quietly,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await subscriber.unsubscribe(WORKER_CHANNEL).catch((error: unknown) => {
        log.debug({ err: error }, "Redis was gone before the subscription ended");
      });
    },
  };
}
