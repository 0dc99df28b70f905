/** Redis for a command beside the bot: of a docker-ci that runs, or of one that nobody runs now. */
import { join } from "node:path";
import { Redis } from "ioredis";
import { pino } from "pino";
import type { Config } from "../config.ts";
import { openDataFolder } from "../data-folder.ts";
import { ConfigError, describeError, RuntimeError } from "../errors.ts";
import { socketPathFor } from "../queue/embedded-redis.ts";
import { connectRedis } from "../queue/redis.ts";

/**
 * The embedded Redis of a docker-ci that runs is used beside it; one that nobody runs is started for this question.
 * @throws ConfigError, and RuntimeError when Redis does not answer.
 */
export async function withRedis<T>(config: Config, ask: (redis: Redis) => Promise<T>): Promise<T> {
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
