/** Workers that are to take no more builds, until somebody says otherwise. Kept over restarts of theirs and of the bot. */
import type { Redis } from "ioredis";
import { z } from "zod";
import type { Clock } from "../clock.ts";

/** A hash by the worker's name. */
export const DRAINING = "docker-ci:workers:draining";
/** Published with a worker's name when what it may take has changed. */
export const WORKER_CHANNEL = "docker-ci:workers:changed";

const Drain = z.object({ by: z.string(), since: z.iso.datetime() });
export type Drain = z.infer<typeof Drain>;

/** @param resumed is called after a drain has ended: that worker may begin something now. */
export function createDrains(redis: Redis, clock: Clock, resumed: () => Promise<void>) {
  return {
    /** By worker. */
    async all(): Promise<ReadonlyMap<string, Drain>> {
      return new Map(Object.entries(await redis.hgetall(DRAINING)).map(([name, json]) => [name, read(json)] as const));
    },

    /** @returns the drain that was there already and goes on, if there was one. */
    async drain(worker: string, by: string): Promise<Drain | undefined> {
      const since = clock.now().toISOString();
      if ((await redis.hsetnx(DRAINING, worker, JSON.stringify({ by, since }))) === 0) {
        return (await this.all()).get(worker);
      }
      await redis.publish(WORKER_CHANNEL, worker);
      return undefined;
    },

    /** @returns whether it was draining. */
    async undrain(worker: string): Promise<boolean> {
      if ((await redis.hdel(DRAINING, worker)) === 0) return false;
      await redis.publish(WORKER_CHANNEL, worker);
      await resumed();
      return true;
    },
  };
}

/** It holds even where nobody can read any more who began it. */
function read(json: string): Drain {
  try {
    return Drain.parse(JSON.parse(json));
  } catch {
    return { by: "somebody", since: new Date(0).toISOString() };
  }
}
