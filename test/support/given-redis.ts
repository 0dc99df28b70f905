/** A redis-server that an operator runs, on a port of the loopback: it can be killed and started again. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Redis } from "ioredis";
import { freePort } from "./irc-server.ts";
import { waitFor } from "./wait-for.ts";

export interface GivenRedis extends AsyncDisposable {
  readonly url: string;
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** @param folder where it keeps its files. @param settings further arguments, `["--maxmemory-policy", "allkeys-lru"]`. */
export async function startGivenRedis(folder: string, settings: readonly string[] = []): Promise<GivenRedis> {
  const port = await freePort();
  let server: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const common = [
      "--port",
      String(port),
      "--bind",
      "127.0.0.1",
      "--dir",
      folder,
      "--appendonly",
      "yes",
      "--save",
      "",
    ];
    server = spawn("redis-server", [...common, ...settings], { stdio: "ignore" });
    await waitFor("redis-server to answer", () => answers(port));
  };
  const kill = async (): Promise<void> => {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const gone = once(server, "exit");
    server.kill("SIGKILL");
    await gone;
  };
  await start();
  return { url: `redis://127.0.0.1:${port}/0`, kill, start, [Symbol.asyncDispose]: kill };
}

async function answers(port: number): Promise<boolean> {
  const client = new Redis({ port, lazyConnect: true, retryStrategy: () => null, disconnectTimeout: 50 });
  client.on("error", () => {
    // Not up yet; the next look tells.
  });
  try {
    await client.connect();
    return (await client.ping()) === "PONG";
  } finally {
    client.disconnect();
  }
}
