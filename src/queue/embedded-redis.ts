/**
 * The redis-server that docker-ci runs for itself inside its data folder when none is configured: on a unix socket nobody else
 * can open, every write on the disk before it is answered, nothing ever evicted.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import type { Logger } from "pino";
import { describeError, RuntimeError } from "../errors.ts";

/** The longest path of a unix socket, less its closing NUL (unix(7), sun_path). */
const SOCKET_PATH_MAX = 107;
/** Loading a large append-only file takes Redis about a second for 100 MB. */
const START_DEADLINE_MS = 120_000;
/** A server that dies at once, as on a full disk, is started again ever more slowly; one that lived this long at the first pause. */
const RESTART_PAUSES_MS = { first: 250, longest: 4_000, lived: 10_000 };

/** A connection for one question. */
const ONCE = { lazyConnect: true, retryStrategy: () => null, disconnectTimeout: 100 } as const;

export interface EmbeddedRedis extends AsyncDisposable {
  readonly socketPath: string;
}

/**
 * Starts the server, or takes over the one that a killed docker-ci left running in the same folder: it is ours, since only one
 * process can hold the data folder. A server that dies is started again. Disposing stops it, also one taken over.
 * @param folder absolute; made when missing, readable by the owner alone.
 * @throws RuntimeError when there is no redis-server, or it does not come up.
 */
export async function startEmbeddedRedis(folder: string, log: Logger): Promise<EmbeddedRedis> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const socketPath = socketPathFor(folder);
  let stopping = false;
  let server: ChildProcess | undefined;
  let lastWords = "";
  let pauseMs = RESTART_PAUSES_MS.first;

  const launch = (): void => {
    lastWords = "";
    const launchedAt = Date.now();
    // In a process group of its own, so that Ctrl-C in the terminal reaches docker-ci alone, which then stops Redis last.
    const child = spawn("redis-server", serverArguments(folder, socketPath), {
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (text: Buffer) => {
        lastWords = (lastWords + text.toString()).slice(-2_000);
      });
      // The pipes alone must not keep a process alive that has nothing else to do.
      if ("unref" in stream && typeof stream.unref === "function") stream.unref();
    }
    child.on("error", (error) => {
      lastWords = error.message;
    });
    child.on("exit", (code, signal) => {
      if (stopping || server !== child) return;
      if (Date.now() - launchedAt > RESTART_PAUSES_MS.lived) pauseMs = RESTART_PAUSES_MS.first;
      log.error({ code, signal, lastWords, pauseMs }, "the embedded redis-server died; starting it again");
      setTimeout(() => {
        if (!stopping) launch();
      }, pauseMs).unref();
      pauseMs = Math.min(pauseMs * 2, RESTART_PAUSES_MS.longest);
    });
    child.unref();
    server = child;
  };

  if ((await ping(socketPath)) === "up") log.info("took over the embedded redis-server of an earlier run");
  else launch();

  const deadline = Date.now() + START_DEADLINE_MS;
  for (;;) {
    const state = await ping(socketPath);
    if (state === "up") break;
    const gone = server !== undefined && (hasEnded(server) || server.pid === undefined);
    if (gone || Date.now() > deadline) {
      stopping = true;
      const reason = lastWords.includes("ENOENT") ? "redis-server is not installed" : lastWords.trim();
      throw new RuntimeError(`the embedded Redis did not start: ${reason || "no answer"}`);
    }
    await sleep(10);
  }

  // A server that was taken over is nobody's child: its death is seen only by looking.
  const watch = setInterval(() => {
    if (server !== undefined || stopping) return;
    void ping(socketPath).then((state) => {
      if (state === "down" && !stopping && server === undefined) launch();
    });
  }, 1_000);
  watch.unref();

  return {
    socketPath,
    async [Symbol.asyncDispose]() {
      stopping = true;
      clearInterval(watch);
      const exited = new Promise<void>((resolve) => {
        if (server === undefined || hasEnded(server)) resolve();
        else server.once("exit", () => resolve());
      });
      await shutDown(socketPath, log);
      await Promise.race([exited, sleep(10_000, undefined, { ref: false })]);
    },
  };
}

/** A process that a signal ended has no exit code. */
function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** Where the server of that folder listens. */
export function socketPathFor(folder: string): string {
  const inside = join(folder, "redis.sock");
  if (Buffer.byteLength(inside) <= SOCKET_PATH_MAX) return inside;
  const name = createHash("sha256").update(folder).digest("hex").slice(0, 16);
  return join(tmpdir(), `docker-ci-${name}.sock`);
}

function serverArguments(folder: string, socketPath: string): string[] {
  return [
    ["--port", "0"],
    ["--unixsocket", socketPath],
    ["--unixsocketperm", "700"],
    ["--dir", folder],
    ["--appendonly", "yes"],
    ["--appendfsync", "always"],
    ["--save", ""],
    ["--maxmemory-policy", "noeviction"],
    ["--daemonize", "no"],
    ["--loglevel", "warning"],
  ].flat();
}

/** `loading` while it reads its files; `down` when nobody listens. */
async function ping(socketPath: string): Promise<"up" | "loading" | "down"> {
  const probe = new Redis({ ...ONCE, path: socketPath, enableReadyCheck: false });
  probe.on("error", () => {
    // The rejected connect or ping below says the same.
  });
  try {
    await probe.connect();
    await probe.ping();
    return "up";
  } catch (error) {
    return describeError(error).includes("LOADING") ? "loading" : "down";
  } finally {
    probe.disconnect();
  }
}

async function shutDown(socketPath: string, log: Logger): Promise<void> {
  const client = new Redis({ ...ONCE, path: socketPath });
  client.on("error", () => {
    // A server that is stopping closes the connection; that is the answer.
  });
  try {
    await client.connect();
    await client.shutdown("NOSAVE");
  } catch (error) {
    if (!/closed|ECONN|ENOENT/i.test(describeError(error)))
      log.warn({ err: error }, "could not stop the embedded Redis");
  } finally {
    client.disconnect();
  }
}
