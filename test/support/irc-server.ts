/** Running an IRC server as a child of the test: a free port, readiness, kill -9 and start again. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { waitFor } from "./wait-for.ts";

export interface Server {
  /** kill -9; resolves when the process is gone. */
  readonly kill: () => Promise<void>;
  /** Starts it, again; resolves when the port accepts connections. */
  readonly start: () => Promise<void>;
  readonly signal: (name: NodeJS.Signals) => void;
}

/** A port of the loopback that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  if (address === null || typeof address === "string") throw new Error("no address");
  probe.close();
  await once(probe, "close");
  return address.port;
}

/** Starts a server that stays in the foreground and waits for its port; its output is shown when it ends too early. */
export async function runServer(
  command: string,
  args: readonly string[],
  port: number,
  user: { readonly uid?: number; readonly gid?: number } = {},
): Promise<Server> {
  let child: ChildProcess | undefined;
  let output = "";

  async function kill(): Promise<void> {
    const victim = child;
    child = undefined;
    if (victim === undefined || victim.exitCode !== null || victim.signalCode !== null) return;
    const gone = once(victim, "exit");
    victim.kill("SIGKILL");
    await gone;
  }

  async function start(): Promise<void> {
    output = "";
    const started = spawn(command, args, { ...user, stdio: ["ignore", "pipe", "pipe"] });
    child = started;
    const collect = (chunk: Buffer): void => {
      output = (output + String(chunk)).slice(-4000);
    };
    started.stdout.on("data", collect);
    started.stderr.on("data", collect);
    // A command that is not installed ends in the same sentence as one that does not start.
    started.on("error", (error) => {
      output += String(error);
    });
    try {
      await waitFor(`${command} on port ${port}`, () => started.exitCode !== null || accepts(port), {
        everyMs: 5,
        seen: () => output,
      });
      if (started.exitCode !== null) throw new Error(`${command} ended with status ${started.exitCode}: ${output}`);
    } catch (error) {
      await kill();
      throw error;
    }
  }

  await start();
  return { kill, start, signal: (name) => void child?.kill(name) };
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect({ port, host: "127.0.0.1" });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false; // not yet
  } finally {
    socket.destroy();
  }
}
