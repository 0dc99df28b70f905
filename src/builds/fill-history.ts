/** Puts records from before there were these indexes into them, once, in the background of a start. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { RuntimeError } from "../errors.ts";
import { ALL, indexChange, indexLua } from "./history.ts";
import type { BuildStore } from "./store.ts";

/** The lowest number that is done, from the newest down; 0 when all are. So a start goes on where the one before was stopped. */
export const FILLED = "docker-ci:builds:history-filled";
/** Few enough that nobody waits for a page meanwhile. */
const BATCH = 50;
const RETRY_MS = 5_000;

/** KEYS: record. ARGV: state and attempt as they were read, index change, number. A build that went on since has seen to itself. */
const FILL = `
if redis.call('HGET', KEYS[1], 'state') ~= ARGV[1] or redis.call('HGET', KEYS[1], 'attempt') ~= ARGV[2] then return 0 end
${indexLua("ARGV[3]", "ARGV[4]")}return 1
`;

/** Disposing of it waits for the records at hand. */
export function startFilling(redis: Redis, store: BuildStore, log: Logger): AsyncDisposable {
  const stopped = new AbortController();
  const done = keepFilling(redis, store, log, stopped.signal);
  return {
    async [Symbol.asyncDispose]() {
      stopped.abort();
      await done;
    },
  };
}

async function keepFilling(redis: Redis, store: BuildStore, log: Logger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const count = await fillHistory(redis, store, signal);
      if (count > 0) log.info({ builds: count }, "older builds can be looked through by branch and person");
      return;
    } catch (error) {
      log.warn({ err: error }, "older builds cannot be indexed for now");
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined /* it is stopped */);
    }
  }
}

/** @returns how many builds were put in. Ends early, with what is done written down, when the signal aborts. */
export async function fillHistory(redis: Redis, store: BuildStore, signal: AbortSignal): Promise<number> {
  const reached = await redis.get(FILLED);
  let count = 0;
  for (let below = reached === null ? "+inf" : `(${reached}`; below !== "(0" && !signal.aborted; ) {
    const numbers = await redis.zrange(ALL, below, "-inf", "BYSCORE", "REV", "LIMIT", 0, BATCH);
    const pipeline = redis.pipeline();
    for (const build of await store.many(numbers)) {
      const change = JSON.stringify(indexChange(build));
      const key = `docker-ci:build:${build.number}`;
      pipeline.eval(FILL, 1, key, build.state.kind, String(build.attempt), change, String(build.number));
    }
    const lowest = numbers.at(-1) ?? "0";
    pipeline.set(FILLED, lowest);
    for (const [error] of (await pipeline.exec()) ?? []) {
      if (error !== null) throw new RuntimeError("Redis did not take the indexes of older builds", { cause: error });
    }
    count += numbers.length;
    below = `(${lowest}`;
  }
  return count;
}
