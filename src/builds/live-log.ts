/** The live end of a running build's log: a short Redis stream, read once in each process for all who watch there. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { describeError } from "../errors.ts";
import { type Deferred, deferred } from "../lifecycle.ts";
import type { BuildNumber } from "../names.ts";
import type { LivePublisher } from "./build-log.ts";

/** About 16 MiB at the most: entries are up to 32 KiB, and who lags further behind reads the file. */
const ENTRIES_KEPT = 512;
/** A follower that comes late still sees how it ended. */
const KEPT_AFTER_LAST_S = 3_600;
/** What a process holds of one log for its followers, all of them together; who lags further behind is told of a gap. */
const HELD_BYTES = 1024 ** 2;
const READ_AT_ONCE = 64;
/** A follower hears at least this often that nothing came. */
const IDLE_MS = 500;
/** So many followers are served in one go and no oftener than this, so that a crowd does not take the whole process. */
const CROWD = 50;
const CROWD_PAUSE_MS = 75;
const AFTER_TROUBLE_MS = 500;
const NOTHING: readonly LiveChunk[] = [];

const liveLogKey = (number: number): string => `docker-ci:log:${number}`;

/** Publishes without waiting: those who watch must never slow a build down, and the file has everything. */
export function publishLive(redis: Redis, number: BuildNumber, log: Logger): LivePublisher {
  const key = liveLogKey(number);
  return (at, text, bytes) => {
    redis
      .pipeline()
      .xadd(key, "MAXLEN", "~", ENTRIES_KEPT, "*", "at", String(at), "text", text, "bytes", String(bytes))
      .expire(key, KEPT_AFTER_LAST_S)
      .exec()
      .catch((error: unknown) => log.debug({ reason: describeError(error) }, "live log skipped while Redis is away"));
  };
}

export interface LiveChunk {
  /** Offset of its first byte in the whole log, and of the byte behind its last. */
  readonly at: number;
  readonly end: number;
  readonly text: string;
}

export type LiveEvent =
  /** In order, one behind the other. */
  | { readonly kind: "chunks"; readonly chunks: readonly LiveChunk[] }
  /** What lies between is in the file only; or, where `to` is not behind `from`, the log began anew. */
  | { readonly kind: "gap"; readonly from: number; readonly to: number }
  /** Nothing came for a while: a chance to look whether the build is over. */
  | { readonly kind: "idle" };

export interface LiveLogs extends AsyncDisposable {
  /**
   * What comes to the log behind the byte `after`, or from the oldest that is still live, until the signal aborts. Nothing is
   * kept for a follower: one that is too slow gets a gap.
   */
  follow(number: BuildNumber, signal: AbortSignal, after?: number): AsyncGenerator<LiveEvent, void, undefined>;
}

/** @param open gives a connection of its own, which is held while nothing happens and disconnected here. */
export function createLiveLogs(open: () => Redis, log: Logger): LiveLogs {
  const logs = new Map<number, LiveLog>();
  return {
    async *follow(number, signal, after) {
      const live = logs.get(number) ?? new LiveLog(open(), number, log);
      logs.set(number, live);
      live.followers += 1;
      try {
        yield* followOne(live, signal, after);
      } finally {
        live.followers -= 1;
        if (live.followers === 0 && logs.get(number) === live) {
          logs.delete(number);
          live.close();
        }
      }
    },
    async [Symbol.asyncDispose]() {
      for (const live of logs.values()) live.close();
      logs.clear();
    },
  };
}

async function* followOne(
  live: LiveLog,
  signal: AbortSignal,
  after: number | undefined,
): AsyncGenerator<LiveEvent, void, undefined> {
  let position = after;
  let { generation } = live;
  while (!signal.aborted && !live.isClosed) {
    if (generation !== live.generation) {
      ({ generation } = live);
      yield { kind: "gap", from: position ?? 0, to: 0 };
      position = 0;
    }
    const chunks = live.behind(position);
    const [first] = chunks;
    const last = chunks.at(-1);
    if (first !== undefined && last !== undefined) {
      if (position !== undefined && first.at > position) yield { kind: "gap", from: position, to: first.at };
      const isCut = position !== undefined && first.at < position;
      const shown = isCut ? [cutTo(first, position ?? 0), ...chunks.slice(1)] : chunks;
      position = last.end;
      yield { kind: "chunks", chunks: shown };
    } else if (!(await live.more(signal))) {
      yield { kind: "idle" };
    }
  }
}

/** One log as this process hears it. */
class LiveLog {
  followers = 0;
  /** Counts how often the log began anew. */
  generation = 0;
  isClosed = false;
  #held: LiveChunk[] = [];
  #heldBytes = 0;
  readonly #slices = new Map<number, readonly LiveChunk[]>();
  #heard: Deferred<boolean> = deferred();
  readonly #connection: Redis;
  readonly #number: number;
  readonly #log: Logger;

  constructor(connection: Redis, number: number, log: Logger) {
    this.#connection = connection;
    this.#number = number;
    this.#log = log;
    void this.#read();
  }

  /** What is held behind that byte; a chunk that lies across it comes whole. Followers that are equally far get one array. */
  behind(position: number | undefined): readonly LiveChunk[] {
    const first = this.#held[0]?.at ?? 0;
    const from = position === undefined || position <= first ? 0 : this.#held.findIndex(({ end }) => end > position);
    if (from === -1) return NOTHING;
    const known = this.#slices.get(from);
    if (known !== undefined) return known;
    const slice = this.#held.slice(from);
    this.#slices.set(from, slice);
    return slice;
  }

  /** Resolves when something came (true) or nothing did for a while (false). */
  async more(signal: AbortSignal): Promise<boolean> {
    return signal.aborted ? false : this.#heard.promise;
  }

  close(): void {
    this.isClosed = true;
    this.#connection.disconnect();
    this.#tell(false);
  }

  #tell(came: boolean): void {
    const heard = this.#heard;
    this.#heard = deferred();
    heard.resolve(came);
  }

  async #read(): Promise<void> {
    const key = liveLogKey(this.#number);
    let last: string | undefined;
    while (!this.isClosed) {
      try {
        if (last === undefined) {
          const recent = await this.#connection.xrevrange(key, "+", "-", "COUNT", READ_AT_ONCE);
          last = recent[0]?.[0] ?? "0-0";
          this.#hold(recent.reverse().map(([, fields]) => fields));
          continue;
        }
        const reply = await this.#connection.xread("COUNT", READ_AT_ONCE, "BLOCK", IDLE_MS, "STREAMS", key, last);
        const entries = reply?.[0]?.[1] ?? [];
        last = entries.at(-1)?.[0] ?? last;
        this.#hold(entries.map(([, fields]) => fields));
        if (this.followers > CROWD) await sleep(CROWD_PAUSE_MS);
      } catch (error) {
        if (this.isClosed) return;
        this.#log.debug({ reason: describeError(error) }, "a live log could not be read; looking again");
        await sleep(AFTER_TROUBLE_MS);
      }
    }
  }

  #hold(entries: readonly (readonly string[] | null)[]): void {
    for (const fields of entries) {
      const chunk = chunkOf(fields);
      if (chunk === undefined) continue;
      if (chunk.at < (this.#held.at(-1)?.end ?? 0)) {
        this.generation += 1;
        this.#held = [];
        this.#heldBytes = 0;
      }
      this.#held.push(chunk);
      this.#heldBytes += chunk.end - chunk.at;
    }
    while (this.#heldBytes > HELD_BYTES) {
      const oldest = this.#held.shift();
      this.#heldBytes -= oldest === undefined ? this.#heldBytes : oldest.end - oldest.at;
    }
    this.#slices.clear();
    this.#tell(entries.length > 0);
  }
}

/** The part of a chunk behind that byte. */
function cutTo({ at, end, text }: LiveChunk, from: number): LiveChunk {
  return {
    at: from,
    end,
    text: Buffer.from(text)
      .subarray(from - at)
      .toString(),
  };
}

function chunkOf(fields: readonly string[] | null): LiveChunk | undefined {
  const [, at, , text, , bytes] = fields ?? [];
  if (at === undefined || text === undefined) return undefined;
  // One from before the length was told.
  const length = bytes === undefined ? Buffer.byteLength(text) : Number(bytes);
  return { at: Number(at), end: Number(at) + length, text };
}
