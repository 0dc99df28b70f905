/** A redis-server for a moment, in a folder of its own: to read a dump with, to prove a backup in, to make a restored one ready. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { RuntimeError } from "../errors.ts";
import { socketPathFor } from "../queue/embedded-redis.ts";

const DEADLINE_MS = 120_000;
/** What a restored one goes on with: the file that the embedded Redis reads at its start (its names are Redis' defaults). */
const APPENDING = ["--appendonly", "yes", "--appendfsync", "everysec"];
const READING = ["--appendonly", "no", "--dbfilename", "dump.rdb"];

export interface ScratchRedis extends AsyncDisposable {
  readonly redis: Redis;
}

/**
 * Starts one that reads `dump.rdb` in the folder, where there is one, and writes nothing; with `keeps` it writes all that it gets.
 * Disposing ends it; what it keeps is on the disk then.
 * @param database the number of the one to read.
 */
export async function startScratchRedis(
  folder: string,
  { keeps = false, database = 0 }: { keeps?: boolean; database?: number } = {},
): Promise<ScratchRedis> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = socketPathFor(folder);
  const common = ["--port", "0", "--unixsocket", path, "--unixsocketperm", "700", "--dir", folder, "--save", ""];
  const more = ["--databases", String(Math.max(16, database + 1)), "--daemonize", "no", "--loglevel", "warning"];
  const server = spawn("redis-server", [...common, ...more, ...(keeps ? APPENDING : READING)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let lastWords = "";
  for (const stream of [server.stdout, server.stderr]) {
    stream.on("data", (text: Buffer) => {
      lastWords = (lastWords + text.toString()).slice(-1_000);
    });
  }
  server.on("error", (error) => {
    lastWords = error.message;
  });
  const ended = new Promise<void>((resolve) => {
    server.once("exit", () => resolve());
    server.once("error", () => resolve());
  });
  const redis = new Redis({ path, db: database, lazyConnect: true, retryStrategy: () => null, disconnectTimeout: 100 });
  redis.on("error", () => {
    // What is asked of it fails with the same.
  });
  const stop = async (): Promise<void> => {
    await redis.shutdown("NOSAVE").catch(() => undefined /* the closed connection is its answer */);
    redis.disconnect();
    await Promise.race([ended, sleep(10_000, undefined, { ref: false })]);
    if (!hasEnded(server)) server.kill("SIGKILL");
  };
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    // Its ready check waits until the dump is loaded.
    if (await connected(redis)) return { redis, [Symbol.asyncDispose]: stop };
    if (hasEnded(server) || server.pid === undefined || Date.now() > deadline) {
      await stop();
      throw new RuntimeError(`a redis-server for the backup did not start: ${lastWords.trim() || "no answer"}`);
    }
    await sleep(10);
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

async function connected(redis: Redis): Promise<boolean> {
  try {
    await redis.connect();
    await redis.ping();
    return true;
  } catch {
    // Not yet.
    return false;
  }
}

/** Ends the one that a killed process left in that folder, if it did. */
export async function stopLeftOver(folder: string): Promise<void> {
  const redis = new Redis({ path: socketPathFor(folder), lazyConnect: true, retryStrategy: () => null });
  redis.on("error", () => {
    // There is none.
  });
  try {
    await redis.connect();
    await redis.shutdown("NOSAVE");
  } catch {
    // None, or the closed connection, which is its answer.
  } finally {
    redis.disconnect();
  }
}
