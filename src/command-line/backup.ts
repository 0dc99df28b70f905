/** `docker-ci backup`: makes one now, beside a docker-ci that runs or without one; `--prune` removes those whose time is over. */
import type { Redis } from "ioredis";
import { type Backups, createBackups, outcomeFacts, type Pruned } from "../backup/backups.ts";
import { progressLine } from "../backup/progress.ts";
import { line, lineText, type Tone } from "../chat/reply.ts";
import { systemClock } from "../clock.ts";
import { type Config, loadConfig } from "../config.ts";
import { createSubscriptions } from "../incidents/subscriptions.ts";
import { openLogger } from "../logger.ts";
import type { OpenStore } from "../object-store.ts";
import { onSignals } from "./signals.ts";
import { showProgress } from "./terminal-progress.ts";
import { withRedis } from "./with-redis.ts";

export interface BackupArguments {
  readonly prune: boolean;
  /** Tells what would be removed. */
  readonly dryRun: boolean;
}

/** @returns 0, or 1 when something of it could not be done. @throws ConfigError, UserError and RuntimeError */
export async function backup(openStore: OpenStore, { prune, dryRun }: BackupArguments): Promise<number> {
  const config = await loadConfig({ env: process.env, cwd: process.cwd() });
  const stop = new AbortController();
  const forget = onSignals((signal) => stop.abort(new Error(`stopped by ${signal}`)));
  try {
    return await withRedis(config, async (redis) => {
      const backups = openBackups(config, redis, openStore);
      if (!prune) return await makeOne(backups, stop.signal);
      say(pruned(await backups.prune(dryRun, stop.signal), dryRun));
      return 0;
    });
  } finally {
    forget();
  }
}

function openBackups(config: Config, redis: Redis, openStore: OpenStore): Backups {
  const subscriptions = createSubscriptions(redis, systemClock);
  const log = openLogger({ kind: "file", dataDir: config.dataDir });
  return createBackups({ config, redis, subscriptions, clock: systemClock, log, openStore });
}

async function makeOne(backups: Backups, signal: AbortSignal): Promise<number> {
  const shown = showProgress();
  try {
    const outcome = await backups.run({
      signal,
      onProgress: (progress) => shown.show(lineText(progressLine(progress))),
    });
    const isWhole = outcome.problems.length === 0;
    shown.clear();
    say(lineText(line(isWhole ? "passed" : "errored", outcomeFacts(outcome))));
    say(`  in ${backups.folder}`);
    return isWhole ? 0 : 1;
  } finally {
    shown.clear();
  }
}

function pruned({ here, stored }: Pruned, dryRun: boolean): string {
  const places: (readonly [string, readonly string[]])[] = [["here", here], ...stored];
  const lines = places.flatMap(([place, names]) => names.map((name) => `${name} (${place})`));
  const tone: Tone = dryRun ? "info" : "passed";
  if (lines.length === 0) return lineText(line(tone, ["no backup's time is over"]));
  return [lineText(line(tone, [dryRun ? "would be removed:" : "removed:"])), ...lines.map((each) => `  ${each}`)].join(
    "\n",
  );
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
