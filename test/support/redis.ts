/** A real redis-server for one test: the embedded one in a folder of its own, or one that is set up as somebody else's is. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { connectRedis, type RedisConnections } from "../../src/queue/redis.ts";
import { type CapturedLog, capturedLog } from "./captured-log.ts";
import { freePort } from "./irc-server.ts";
import { waitFor } from "./wait-for.ts";

export interface TestRedis extends AsyncDisposable, CapturedLog {
  readonly redis: RedisConnections;
  readonly dataDir: string;
  /** The server's process; another one after it was started again. */
  pid(): Promise<number>;
  /** Stops the connections and the server, and leaves the folder. */
  stop(): Promise<void>;
}

/** The embedded Redis. */
export async function openRedis(): Promise<TestRedis> {
  const captured = capturedLog();
  // A unix socket's path is short.
  const dataDir = await mkdtemp(join(tmpdir(), "docker-ci-redis-"));
  const redis = await connectRedis({ redis: { kind: "embedded" }, dataDir }, captured.log);
  let stopped: PromiseLike<void> | undefined;
  const stop = async (): Promise<void> => {
    stopped ??= redis[Symbol.asyncDispose]();
    await stopped;
  };
  return {
    ...captured,
    redis,
    dataDir,
    pid: () => serverPid(redis.commands),
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export async function serverPid(redis: Redis): Promise<number> {
  return Number(/^process_id:(\d+)/m.exec(await redis.info("server"))?.[1]);
}

/** Whether a process of that number is there and is not only waiting to be buried. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // ESRCH is the answer.
    return false;
  }
}

export interface ForeignRedis extends AsyncDisposable {
  readonly url: string;
  stop(): Promise<void>;
}

/** A redis-server on a port, with these settings: `["--maxmemory-policy", "allkeys-lru"]`. */
export async function startForeignRedis(settings: readonly string[]): Promise<ForeignRedis> {
  const folder = await mkdtemp(join(tmpdir(), "docker-ci-redis-"));
  const port = await freePort();
  const child = spawn(
    "redis-server",
    ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", ...settings],
    { stdio: "ignore" },
  );
  const ended = once(child, "exit");
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  const probe = new Redis(port, "127.0.0.1", { retryStrategy: () => 20 });
  probe.on("error", () => {
    // It is not up yet.
  });
  await waitFor("redis-server", async () => probe.status === "ready" || probe.status === "connect");
  probe.disconnect();
  return {
    url: `redis://127.0.0.1:${port}/0`,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
