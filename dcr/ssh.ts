/**
 * Tunnels through the system's `ssh`, as the docker command has them. dockerode's own way (the library ssh2) checks no host
 * key and reads no configuration; `ssh` knows its user's keys, agent, known hosts and jump hosts already.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { plainText } from "../src/builds/plain-text.ts";
import type { SshDestination } from "./endpoint.ts";

/** What is on the other side: a port as that host sees it, or the Engine's socket. */
export type SshTarget = { readonly host: string; readonly port: number } | "engine";

export interface Tunnel extends AsyncDisposable {
  /** A unix socket; each connection to it is one of its own on the other side. */
  readonly path: string;
  /** What ssh said last when it failed. */
  complaint(): string | undefined;
}

const CONNECT_TIMEOUT_S = 10;
/** What ssh or the remote side have to say is a few lines. */
const MAX_COMPLAINT = 2_000;

/** Opens nothing but the socket; ssh is started by the first connection. */
export async function openTunnel(destination: SshDestination, target: SshTarget): Promise<Tunnel> {
  const folder = await mkdtemp(join(tmpdir(), "dcr-"));
  const path = join(folder, "tunnel.sock");
  const running = new Set<ChildProcessByStdio<Writable, Readable, Readable>>();
  let complaint: string | undefined;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const child = spawn("ssh", sshArguments(destination, target), { stdio: ["pipe", "pipe", "pipe"] });
    running.add(child);
    carry(socket, child);
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-MAX_COMPLAINT);
    });
    child.once("error", (error) => {
      complaint = `ssh cannot be started (${error.message})`;
      socket.destroy();
    });
    child.once("close", (code) => {
      running.delete(child);
      if (code !== 0 && code !== null) complaint = lastLine(said) ?? `ssh ended with ${code}`;
      // Only now: whoever sees the end of the connection may ask at once why.
      socket.end();
    });
  });
  server.listen(path);
  await once(server, "listening");
  await chmod(path, 0o600);
  return {
    path,
    complaint: () => complaint,
    async [Symbol.asyncDispose]() {
      const ends = [...running].map((child) => once(child, "close"));
      for (const child of running) child.kill();
      server.close();
      await Promise.allSettled(ends);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** `BatchMode`: several hosts at once cannot ask for a password on one terminal. */
export function sshArguments({ host, user, port }: SshDestination, target: SshTarget): string[] {
  return [
    "-T",
    ...["-o", "BatchMode=yes", "-o", `ConnectTimeout=${CONNECT_TIMEOUT_S}`],
    ...(user === undefined ? [] : ["-l", user]),
    ...(port === undefined ? [] : ["-p", String(port)]),
    ...(target === "engine"
      ? []
      : ["-W", `${target.host.includes(":") ? `[${target.host}]` : target.host}:${target.port}`]),
    "--",
    host,
    ...(target === "engine" ? ["docker", "system", "dial-stdio"] : []),
  ];
}

/** Both ways; whatever breaks on one side ends the other. */
function carry(socket: Socket, child: ChildProcessByStdio<Writable, Readable, Readable>): void {
  socket.on("error", () => child.kill());
  socket.on("close", () => child.kill());
  child.stdin.on("error", () => socket.destroy());
  socket.pipe(child.stdin);
  child.stdout.pipe(socket, { end: false });
}

function lastLine(said: string): string | undefined {
  return said
    .split("\n")
    .map(plainText)
    .findLast((line) => line.trim() !== "")
    ?.trim()
    .slice(0, 300);
}
