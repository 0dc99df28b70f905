/** Connections to the only database: the configured Redis, or the embedded one. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ConnectionOptions } from "node:tls";
import { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Config, RedisConfig } from "../config.ts";
import { ConfigError, describeError, RuntimeError } from "../errors.ts";
import { startEmbeddedRedis } from "./embedded-redis.ts";

/** How long a command waits for an answer before the person who caused it is told that Redis is away. */
const COMMAND_TIMEOUT_MS = 5_000;

export interface RedisConnections extends AsyncDisposable {
  /** For records and the outbox: gives up after a few seconds, so that a person gets an answer. */
  readonly commands: Redis;
  /** A new connection that never gives up, as BullMQ and subscribers want; closed with the others. */
  open(): Redis;
  /** Sentences about a Redis that works but is set up with a risk. */
  readonly warnings: readonly string[];
}

/**
 * Connects, and starts the embedded server where none is configured.
 * @throws ConfigError when the given Redis may evict what it holds.
 * @throws RuntimeError when it does not answer.
 */
export async function connectRedis(config: Pick<Config, "redis" | "dataDir">, log: Logger): Promise<RedisConnections> {
  const tls = config.redis.kind === "url" ? await certificatesOf(config.redis) : undefined;
  const server =
    config.redis.kind === "embedded" ? await startEmbeddedRedis(join(config.dataDir, "redis"), log) : undefined;
  const where = config.redis.kind === "embedded" ? "the embedded Redis" : describeAddress(config.redis.url.reveal());
  const opened = new Set<Redis>();
  /** Why the last connection failed; a command that gives up only says how often it tried. */
  let trouble: unknown;

  const connect = (options: { maxRetriesPerRequest: number | null; commandTimeout?: number }): Redis => {
    // How long a closing connection waits for the server's goodbye, during which the process cannot end (ioredis: 2 s).
    const common = {
      ...options,
      disconnectTimeout: 100,
      retryStrategy: (tries: number) => Math.min(50 * tries, 2_000),
    };
    const client =
      config.redis.kind === "url"
        ? new Redis(config.redis.url.reveal(), { ...common, ...(tls === undefined ? {} : { tls }) })
        : new Redis({ ...common, path: server?.socketPath ?? "" });
    let away = false;
    client.on("error", (error: Error) => {
      // One line for an outage, not one for every attempt to mend it.
      // Never the error itself: ioredis puts the command into it, and for one that logs in that is the password.
      if (!away) log.error({ reason: describeError(error) }, "Redis is away");
      away = true;
      trouble = error;
    });
    client.on("ready", () => {
      if (away) log.info("Redis is back");
      away = false;
    });
    opened.add(client);
    // One that was disconnected for good is nobody's any more: whoever looks at a live log opens one.
    client.once("end", () => opened.delete(client));
    return client;
  };

  const commands = connect({ maxRetriesPerRequest: 3, commandTimeout: COMMAND_TIMEOUT_MS });
  const dispose = async (): Promise<void> => {
    for (const client of opened) client.disconnect();
    await server?.[Symbol.asyncDispose]();
  };
  try {
    return {
      commands,
      open: () => connect({ maxRetriesPerRequest: null }),
      warnings: await inspectRedis(commands, where, config.redis.kind === "embedded", () => trouble),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Undefined where the system's authorities are enough. @throws ConfigError for a file that cannot be read. */
async function certificatesOf({
  tls,
}: Extract<RedisConfig, { kind: "url" }>): Promise<Pick<ConnectionOptions, "ca" | "cert" | "key"> | undefined> {
  if (tls === undefined) return undefined;
  const read = async (name: "ca" | "cert" | "key"): Promise<Partial<Record<typeof name, Buffer>>> => {
    const path = tls[name];
    if (path === undefined) return {};
    try {
      return { [name]: await readFile(path) };
    } catch (error) {
      const problem = `redis_tls.${name}: ${path} cannot be read (${describeError(error)})`;
      throw new ConfigError("Redis cannot be used.", [problem], { cause: error });
    }
  };
  return { ...(await read("ca")), ...(await read("cert")), ...(await read("key")) };
}

/** @returns warnings. @throws ConfigError for a Redis that evicts, RuntimeError for one that does not answer. */
async function inspectRedis(redis: Redis, where: string, embedded: boolean, trouble: () => unknown): Promise<string[]> {
  let info: string;
  try {
    info = `${await redis.info("memory")}\n${await redis.info("persistence")}`;
  } catch (error) {
    const cause = trouble() ?? error;
    throw new RuntimeError(`${where} does not answer (${describeError(cause)})`, { cause });
  }
  if (embedded) return [];
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
  if (policy !== undefined && policy !== "noeviction") {
    throw new ConfigError(`${where} cannot be used.`, [
      `redis: found maxmemory-policy ${policy}, allowed: noeviction; under memory pressure this Redis would forget builds (CONFIG SET maxmemory-policy noeviction)`,
    ]);
  }
  if (/^aof_enabled:0/m.test(info)) {
    return [`${where} keeps no append-only file: a crash of it loses the newest builds (CONFIG SET appendonly yes)`];
  }
  return [];
}

/** `redis://10.0.0.5:6379/0`, without the credentials. */
function describeAddress(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

/** Whether an error means that Redis is away, rather than that we asked it nonsense. */
export function isRedisAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const text = `${error.name} ${error.message}`;
  if (error.cause !== undefined && isRedisAway(error.cause)) return true;
  return /MaxRetriesPerRequestError|Command timed out|Connection is closed|\b(?:LOADING|READONLY|MISCONF)\b/.test(text);
}
