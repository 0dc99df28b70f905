/** One process at a time has a folder, also where several wait for one that was killed. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FolderTakenError, lockFolder, watchHolder } from "../src/folder-lock.ts";
import { PACKAGE_FOLDER } from "../src/package.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

/** A process that has the folder until it is killed. */
async function otherProcess(folder: string) {
  const module = JSON.stringify(join(PACKAGE_FOLDER, "dist/src/folder-lock.js"));
  const program = `import { lockFolder } from ${module};
await lockFolder(${JSON.stringify(folder)}, "one", "taken");
console.log("has it");
setInterval(() => undefined, 1_000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return child;
}

test("of many who wait for one that is killed, exactly one has the folder then", async () => {
  await using folder = await temporaryFolder();
  for (let round = 0; round < 5; round += 1) {
    const child = await otherProcess(folder.path);
    const holders = Array.from({ length: 8 }, () => watchHolder(folder.path, "one"));
    child.kill("SIGKILL");
    const taken = await Promise.allSettled(
      holders.map(async ({ gone }) => {
        await gone;
        return lockFolder(folder.path, "one", "taken");
      }),
    );
    const locks = taken.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    const refusals = taken.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
    expect([locks.length, refusals.filter((reason) => reason instanceof FolderTakenError).length]).toEqual([1, 7]);
    await Promise.all(locks.map((lock) => lock[Symbol.asyncDispose]()));
  }
});

test("who waits is heard, by the owner's processes alone, and hears when the folder is let go", async () => {
  await using folder = await temporaryFolder();
  let wanted = 0;
  const lock = await lockFolder(folder.path, "one", "taken", () => {
    wanted += 1;
  });
  expect((await stat(join(folder.path, "one.sock"))).mode & 0o777).toBe(0o600);
  using holder = watchHolder(folder.path, "one");
  holder.ask();
  await expect.poll(() => wanted).toBe(1);
  const [, next] = await Promise.all([
    lock[Symbol.asyncDispose](),
    holder.gone.then(() => lockFolder(folder.path, "one", "taken")),
  ]);
  await next[Symbol.asyncDispose]();
});
