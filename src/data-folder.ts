/** The data folder: one process at a time, and an identity that outlives it. */
import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { finishReplacing } from "./backup/replace.ts";
import { ConfigError, describeError } from "./errors.ts";
import { type Holder, lockFolder, watchHolder } from "./folder-lock.ts";
import { deferred } from "./lifecycle.ts";

export { FolderTakenError, lockFolder } from "./folder-lock.ts";

const LOCK = "docker-ci";

export interface DataFolder extends AsyncDisposable {
  /** Eight hexadecimal digits, made once: they name what this docker-ci makes on an engine that others may use too. */
  readonly instance: string;
  /** Resolves when another docker-ci that stands by asks for the folder. */
  readonly wanted: Promise<void>;
}

/**
 * Makes the folder and takes it for this process.
 * @throws ConfigError when another docker-ci has it (FolderTakenError), or it cannot be written.
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
  const wanted = deferred<void>();
  const lock = await lockFolder(folder, LOCK, taken, () => wanted.resolve());
  try {
    // A restore that was killed half way is done to its end first: nothing may run on half of each.
    await finishReplacing(folder);
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error;
  }
  return { ...lock, instance: await readInstance(folder), wanted: wanted.promise };
}

/** The docker-ci that has the folder, for one that stands by. */
export function watchDataFolder(folder: string): Holder {
  return watchHolder(folder, LOCK);
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
