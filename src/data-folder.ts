/** The data folder: one process at a time, and an identity that outlives it. */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finishReplacing } from "./backup/replace.ts";
import { ConfigError, describeError } from "./errors.ts";

/** The longest path of a unix socket, less its closing NUL (unix(7), sun_path). */
const SOCKET_PATH_MAX = 107;

/** Another process has it. */
export class FolderTakenError extends ConfigError {}

export interface DataFolder extends AsyncDisposable {
  /** Eight hexadecimal digits, made once: they name what this docker-ci makes on an engine that others may use too. */
  readonly instance: string;
}

/**
 * Makes the folder and takes it for this process. The lock is a socket that the process listens on, which the kernel gives up
 * with it: unlike a file with a process id it is never stale and never mistaken.
 * @throws ConfigError when another docker-ci has it, or it cannot be written.
 */
export async function openDataFolder(folder: string): Promise<DataFolder> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new ConfigError("docker-ci cannot start.", [`data: ${folder} cannot be made (${describeError(error)})`], {
      cause: error,
    });
  }
  const taken = `another docker-ci uses ${folder}; stop it, or set another data: folder`;
  const lock = await lockFolder(folder, "docker-ci", taken);
  try {
    // A restore that was killed half way is done to its end first: nothing may run on half of each.
    await finishReplacing(folder);
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error;
  }
  return { ...lock, instance: await readInstance(folder) };
}

/** The identity of a data folder, made when it has none. */
export async function readInstance(folder: string): Promise<string> {
  const file = join(folder, "instance");
  try {
    await writeFile(file, `${randomBytes(4).toString("hex")}\n`, { flag: "wx" });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  return (await readFile(file, "utf8")).trim();
}

/**
 * Takes what that name stands for in the folder, until disposed of or the process ends.
 * @param taken says what is to be done when another process has it. @throws ConfigError
 */
export async function lockFolder(folder: string, name: string, taken: string): Promise<AsyncDisposable> {
  const server = await listenAlone(folder, name, taken);
  return {
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function listenAlone(folder: string, name: string, taken: string): Promise<Server> {
  const inside = join(folder, `${name}.sock`);
  const hash = createHash("sha256").update(inside).digest("hex").slice(0, 16);
  const path = Buffer.byteLength(inside) <= SOCKET_PATH_MAX ? inside : join(tmpdir(), `docker-ci-lock-${hash}.sock`);
  for (let tries = 0; ; tries += 1) {
    try {
      return await listen(path);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EADDRINUSE") || tries > 3) {
        throw new ConfigError("docker-ci cannot start.", [`data: ${folder} cannot be used (${describeError(error)})`], {
          cause: error,
        });
      }
      if (await answers(path)) {
        throw new FolderTakenError("docker-ci cannot start.", [`data: ${taken}`]);
      }
      // Left by a process that was killed: nobody listens there any more.
      await rm(path, { force: true });
    }
  }
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.end());
    server.once("error", reject);
    server.listen(path, () => {
      server.unref();
      resolve(server);
    });
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
