/** A folder as it is, uncommitted changes and all, as the tar that a pipeline runs over. */
import { execFile } from "node:child_process";
import { createReadStream } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { PassThrough, pipeline as pipe, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import tar from "tar-stream";

const run = promisify(execFile);
const LISTING_MAX_BYTES = 256 * 1024 * 1024;

/**
 * What git would commit (tracked and new files, not the ignored ones), and the same of submodules that were fetched; without git,
 * everything. Paths are relative.
 */
export async function filesOf(folder: string): Promise<string[]> {
  try {
    const paths = new Set(await listed(folder, ["--cached", "--others", "--exclude-standard"]));
    for (const submodule of await submodulesOf(folder)) {
      paths.delete(submodule);
      for (const name of await filesOf(join(folder, submodule))) paths.add(`${submodule}/${name}`);
    }
    return [...paths];
  } catch {
    // Not a git repository, or no git here: the folder speaks for itself.
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) =>
        relative(folder, join(entry.parentPath ?? entry.path, entry.name))
          .split(sep)
          .join("/"),
      )
      .filter((path) => !path.startsWith(".git/"));
  }
}

async function listed(folder: string, options: readonly string[]): Promise<string[]> {
  const { stdout } = await run("git", ["-C", folder, "ls-files", "-z", ...options], { maxBuffer: LISTING_MAX_BYTES });
  return stdout.split("\0").filter(Boolean);
}

/** Those that were fetched: of the others there is only an empty folder. */
async function submodulesOf(folder: string): Promise<string[]> {
  // Git's mode of a commit in a tree (gitformat-index(5)).
  const paths = (await listed(folder, ["--stage"])).flatMap((entry) => /^160000 [^\t]*\t(.*)$/s.exec(entry)?.[1] ?? []);
  const fetched = await Promise.all(
    paths.map((path) =>
      lstat(join(folder, path, ".git")).then(
        () => path,
        () => [],
      ),
    ),
  );
  return fetched.flat();
}

/** The files as a tar stream; one that vanished meanwhile is left out, sockets and devices too. */
export function packFolder(folder: string, files: readonly string[]): Readable {
  const pack = tar.pack();
  const out = pipe(pack, new PassThrough(), () => {
    // The reader of the returned stream gets the error.
  });
  const write = async (): Promise<void> => {
    for (const name of files) {
      const path = join(folder, name);
      const stat = await lstat(path).catch(() => undefined /* deleted, and not yet committed as such */);
      if (stat === undefined) continue;
      const header = { name, mode: stat.mode & 0o7777, mtime: stat.mtime };
      if (stat.isSymbolicLink()) pack.entry({ ...header, type: "symlink", linkname: await readlink(path) });
      else if (stat.isFile()) {
        await pipeline(
          createReadStream(path, { end: Math.max(0, stat.size - 1) }),
          pack.entry({ ...header, size: stat.size }),
        );
      }
    }
    pack.finalize();
  };
  write().catch((error: unknown) => out.destroy(error instanceof Error ? error : new Error(String(error))));
  return out;
}
