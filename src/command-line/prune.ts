/** `docker-ci prune`: clears up now, or with `--dry-run` says what that would remove. */
import { pino } from "pino";
import { createBuildStore } from "../builds/store.ts";
import { systemClock } from "../clock.ts";
import { loadConfig } from "../config.ts";
import { readInstance } from "../data-folder.ts";
import { createLedger } from "../incidents/ledger.ts";
import { createReleaseStore } from "../releases/redis-store.ts";
import { everyRelease } from "../retention/needed.ts";
import { prune } from "../retention/prune.ts";
import { prunedFacts } from "../retention/words.ts";
import type { Adapters } from "./adapters.ts";
import { withRedis } from "./with-redis.ts";

/** @returns the exit status. @throws ConfigError, and RuntimeError when Redis or the engine does not answer. */
export async function pruneNow(
  adapters: Pick<Adapters, "openEngine">,
  dryRun: boolean,
  say: (text: string) => void,
): Promise<number> {
  const config = await loadConfig({ env: process.env, cwd: process.cwd() });
  const log = pino({ level: "silent" });
  return withRedis(config, async (redis) => {
    const instance = await readInstance(config.dataDir);
    const scene = {
      config,
      store: createBuildStore(redis),
      redis,
      needs: {
        incidents: () => createLedger(redis).open(),
        releases: () => everyRelease(createReleaseStore(redis, log)),
      },
      engine: { runtime: adapters.openEngine(config, instance, log).runtime, instance },
      clock: systemClock,
      log,
    };
    const pruned = await prune(scene, {
      dryRun,
      signal: new AbortController().signal,
      onProgress: (done, of) => say(`${done} of ${of}`),
    });
    if (pruned === undefined) {
      say("a running docker-ci is clearing up already");
      return 1;
    }
    for (const fact of prunedFacts(pruned, dryRun)) say(fact);
    return 0;
  });
}
