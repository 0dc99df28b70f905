/** `docker-ci audit verify`: whether the audit log is whole. */
import { join } from "node:path";
import { Redis } from "ioredis";
import { pino } from "pino";
import { createAudit } from "../audit/audit.ts";
import type { Verdict } from "../audit/verify.ts";
import { systemClock } from "../clock.ts";
import { type Config, loadConfig } from "../config.ts";
import { openDataFolder } from "../data-folder.ts";
import { ConfigError, describeError, RuntimeError } from "../errors.ts";
import { socketPathFor } from "../queue/embedded-redis.ts";
import { connectRedis } from "../queue/redis.ts";
import { formatCount } from "../units.ts";

/** @returns 0 for a whole chain, else 1. @throws ConfigError, and RuntimeError when Redis does not answer. */
export async function verifyAudit(): Promise<number> {
  const config = await loadConfig({ env: process.env, cwd: process.cwd() });
  const verdict = await withRedis(config, (redis) => createAudit(redis, systemClock).verify());
  process.stdout.write(`${describeVerdict(verdict)}\n`);
  return verdict.ok ? 0 : 1;
}

/** The hash is for comparing: a chain that was forged anew ends in another one than the log of docker-ci says. */
export function describeVerdict(verdict: Verdict): string {
  if (!verdict.ok) return `✘ entry ${formatCount(verdict.at)} does not fit: ${verdict.reason}`;
  const { count, newest } = verdict;
  if (count === 0) return "✔ no entries yet";
  return `✔ ${formatCount(count)} ${count === 1 ? "entry" : "entries"}, chain whole (the newest is ${newest})`;
}

/** The embedded Redis of a docker-ci that runs is used beside it; one that nobody runs is started for this question. */
async function withRedis<T>(config: Config, ask: (redis: Redis) => Promise<T>): Promise<T> {
  const silent = pino({ level: "silent" });
  if (config.redis.kind === "url") {
    await using connections = await connectRedis(config, silent);
    return await ask(connections.commands);
  }
  await using folder = await takeFolder(config.dataDir);
  if (folder !== undefined) {
    await using connections = await connectRedis(config, silent);
    return await ask(connections.commands);
  }
  const path = socketPathFor(join(config.dataDir, "redis"));
  const redis = new Redis({ path, lazyConnect: true, retryStrategy: () => null, disconnectTimeout: 100 });
  redis.on("error", () => {
    // What is asked below fails with the same.
  });
  try {
    await redis.connect();
    return await ask(redis);
  } catch (error) {
    throw new RuntimeError(`the embedded Redis does not answer (${describeError(error)})`, { cause: error });
  } finally {
    redis.disconnect();
  }
}

/** The data folder, or undefined when a running docker-ci has it. */
async function takeFolder(dataDir: string): Promise<AsyncDisposable | undefined> {
  try {
    return await openDataFolder(dataDir);
  } catch (error) {
    if (error instanceof ConfigError && error.message.includes("another docker-ci")) return undefined;
    throw error;
  }
}
