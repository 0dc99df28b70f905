/** The live end of a running build's log: a short Redis stream, for those who watch from any process. */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { describeError } from "../errors.ts";
import type { BuildNumber } from "../names.ts";
import type { LivePublisher } from "./build-log.ts";

/** About 16 MiB at the most: entries are up to 32 KiB, and who lags further behind reads the file. */
const ENTRIES_KEPT = 512;
/** A follower that comes late still sees how it ended. */
const KEPT_AFTER_LAST_S = 3_600;

export const liveLogKey = (number: number): string => `docker-ci:log:${number}`;

/** Publishes without waiting: those who watch must never slow a build down, and the file has everything. */
export function publishLive(redis: Redis, number: BuildNumber, log: Logger): LivePublisher {
  const key = liveLogKey(number);
  return (at, text) => {
    redis
      .pipeline()
      .xadd(key, "MAXLEN", "~", ENTRIES_KEPT, "*", "at", String(at), "text", text)
      .expire(key, KEPT_AFTER_LAST_S)
      .exec()
      .catch((error: unknown) => log.debug({ reason: describeError(error) }, "live log skipped while Redis is away"));
  };
}

export interface LiveChunk {
  /** Offset of its first byte in the whole log. */
  readonly at: number;
  readonly text: string;
}

/**
 * What is in the live log and comes to it, until the signal aborts.
 * @param blocking a connection of its own: it is held while nothing happens.
 */
export async function* followLive(
  blocking: Redis,
  number: BuildNumber,
  signal: AbortSignal,
): AsyncGenerator<LiveChunk, void, undefined> {
  let last = "0-0";
  while (!signal.aborted) {
    const reply = await blocking.xread("COUNT", 64, "BLOCK", 1_000, "STREAMS", liveLogKey(number), last);
    for (const [, entries] of reply ?? []) {
      for (const [id, fields] of entries) {
        last = id;
        if (fields === null) continue;
        yield { at: Number(fields[1]), text: fields[3] ?? "" };
      }
    }
    // Lets the caller look whether the build is over.
    if (reply === null) yield { at: -1, text: "" };
  }
}
