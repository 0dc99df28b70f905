/** A disk of a few megabytes that a test may fill to the last byte. */
import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import { temporaryFolder } from "./temporary-folder.ts";

const run = promisify(execFile);

export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
  freeBytes(): Promise<number>;
}

/** A disk of the kernel's own. Opened before the site whose data lie on it, so that it is there until the end. */
export async function smallDisk(mib: number): Promise<SmallDisk> {
  const folder = await temporaryFolder();
  await run("mount", ["-t", "tmpfs", "-o", `size=${mib}m`, "tmpfs", folder.path]);
  return {
    path: folder.path,
    async freeBytes() {
      const { bavail, bsize } = await statfs(folder.path);
      return bavail * bsize;
    },
    async [Symbol.asyncDispose]() {
      await run("umount", ["--lazy", folder.path]);
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Until not a byte more goes there. */
export async function fill(disk: SmallDisk): Promise<Disposable> {
  const file = join(disk.path, "filling");
  await run("dd", ["if=/dev/zero", `of=${file}`, "bs=4k"]).catch(
    () => undefined /* no space left, which is the purpose */,
  );
  expect(await disk.freeBytes()).toBe(0);
  return { [Symbol.dispose]: () => rmSync(file, { force: true }) };
}
