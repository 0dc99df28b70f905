/** Clearing up over the records of a test, without an engine. */
import type { Clock } from "../../src/clock.ts";
import { createLedger } from "../../src/incidents/ledger.ts";
import { createReleaseStore } from "../../src/releases/redis-store.ts";
import { everyRelease } from "../../src/retention/needed.ts";
import type { PruneScene } from "../../src/retention/prune.ts";
import { clock, type Records } from "./records.ts";

export function pruneScene({ config, store, redis, log }: Records, time: Clock = clock): PruneScene {
  const releases = createReleaseStore(redis.commands, log);
  return {
    config,
    store,
    redis: redis.commands,
    needs: { incidents: () => createLedger(redis.commands).open(), releases: () => everyRelease(releases) },
    engine: undefined,
    clock: time,
    log,
  };
}
