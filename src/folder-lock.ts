/**
 * One process at a time has a folder: a socket in it that the process listens on, which the kernel gives up with it. Unlike a
 * file with a process id it is never stale and never mistaken, and whoever waits for the folder hears when it is let go.
 */
import { createHash } from "node:crypto";
import { chmod, open, rm, stat } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ConfigError, describeError } from "./errors.ts";

/** The longest path of a unix socket, less its closing NUL (unix(7), sun_path). */
const SOCKET_PATH_MAX = 107;
/** What a process that wants the folder says to the one that has it. */
const HAND_OVER = "hand over\n";
const TRIES = 40;
const TRY_EVERY_MS = 25;
/** Clearing away takes milliseconds; who began it longer ago than this was killed at it. */
const CLEARING_MS = 10_000;

/** Another process has it. */
export class FolderTakenError extends ConfigError {}

/**
 * Takes what that name stands for in the folder, until disposed of or the process ends.
 * @param taken says what is to be done when another process has it.
 * @param onWanted called when another process asks for it, perhaps more than once. @throws ConfigError
 */
export async function lockFolder(
  folder: string,
  name: string,
  taken: string,
  onWanted: () => void = () => undefined,
): Promise<AsyncDisposable> {
  const waiting = new Set<Socket>();
  const server = await listenAlone(folder, lockPath(folder, name), taken, (socket) => {
    waiting.add(socket);
    socket.unref();
    socket.once("close", () => waiting.delete(socket));
    socket.on("error", () => undefined /* whoever waited is gone; its close follows */);
    let said = "";
    socket.setEncoding("utf8").on("data", (text) => {
      said = (said + String(text)).slice(-HAND_OVER.length);
      if (said === HAND_OVER) onWanted();
    });
  });
  return {
    async [Symbol.asyncDispose]() {
      // The path goes with the server, before those who wait for that hear of it.
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of waiting) socket.destroy();
      await closed;
    },
  };
}

/** The process that has a folder, as one that waits for it sees it. */
export interface Holder extends Disposable {
  /** Asks for the folder; only this user's processes can. Whether and when it is let go is the other's to decide. */
  ask(): void;
  /** Resolves when it has let go or has ended, or has never been. */
  readonly gone: Promise<void>;
}

export function watchHolder(folder: string, name: string): Holder {
  const socket = connect(lockPath(folder, name));
  socket.on("error", () => undefined /* nobody is there any more; its close follows */);
  socket.resume();
  return {
    ask: () => void socket.write(HAND_OVER),
    gone: new Promise((resolve) => socket.once("close", () => resolve())),
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

function lockPath(folder: string, name: string): string {
  const inside = join(folder, `${name}.sock`);
  const hash = createHash("sha256").update(inside).digest("hex").slice(0, 16);
  return Buffer.byteLength(inside) <= SOCKET_PATH_MAX ? inside : join(tmpdir(), `docker-ci-lock-${hash}.sock`);
}

async function listenAlone(
  folder: string,
  path: string,
  taken: string,
  onSocket: (socket: Socket) => void,
): Promise<Server> {
  let failed: unknown;
  for (let tries = 0; tries < TRIES; tries += 1) {
    try {
      return await listen(path, onSocket);
    } catch (error) {
      failed = error;
      if (!isCode(error, "EADDRINUSE")) break;
      const state = await stateOf(path);
      if (state === "held") throw new FolderTakenError("docker-ci cannot start.", [`data: ${taken}`]);
      const cleared = state === "left" ? await clearAway(path, onSocket) : undefined;
      if (cleared !== undefined) return cleared;
      await sleep(TRY_EVERY_MS);
    }
  }
  throw new ConfigError("docker-ci cannot start.", [`data: ${folder} cannot be used (${describeError(failed)})`], {
    cause: failed,
  });
}

/**
 * Removes what a killed process has left and listens in its place. One at a time does so: of two who wait for the same folder the
 * slower one would remove what the faster one has just begun to listen on. @returns undefined when another one was faster.
 */
async function clearAway(path: string, onSocket: (socket: Socket) => void): Promise<Server | undefined> {
  const claim = `${path}.clearing`;
  try {
    await (await open(claim, "wx")).close();
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
    // Missing by now: the other one is done.
    const claimedAt = await stat(claim).then(
      ({ mtimeMs }) => mtimeMs,
      () => Date.now(),
    );
    if (Date.now() - claimedAt > CLEARING_MS) await rm(claim, { force: true });
    return undefined;
  }
  try {
    if ((await stateOf(path)) !== "left") return undefined;
    await rm(path, { force: true });
    return await listen(path, onSocket);
  } catch (error) {
    if (isCode(error, "EADDRINUSE")) return undefined;
    throw error;
  } finally {
    await rm(claim, { force: true });
  }
}

async function listen(path: string, onSocket: (socket: Socket) => void): Promise<Server> {
  const server = await new Promise<Server>((resolve, reject) => {
    const opening = createServer(onSocket);
    opening.once("error", reject);
    opening.listen(path, () => {
      opening.unref();
      resolve(opening);
    });
  });
  // What may ask for the folder is what may write to it: this user.
  await chmod(path, 0o600);
  return server;
}

/** `left`: by a process that was killed; nobody listens there any more. */
async function stateOf(path: string): Promise<"held" | "left" | "gone"> {
  const code = await knock(path);
  if (code === "ENOENT") return "gone";
  if (code !== "ECONNREFUSED") return "held";
  // Between its making and its first moment a socket refuses too.
  await sleep(TRY_EVERY_MS);
  return (await knock(path)) === "ECONNREFUSED" ? "left" : "gone";
}

/** @returns undefined when somebody answers, else why not. */
function knock(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once("error", (error) => resolve("code" in error ? String(error.code) : error.message));
  });
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
