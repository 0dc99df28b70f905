/** What cannot be read for now is never taken for what is not there: a backup without its files would pass for a whole one. */
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openCatalog } from "../../src/backup/catalog.ts";
import { walk } from "../../src/backup/files.ts";
import { readJournal } from "../../src/backup/replace.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** As little can be read of a loop of links as with too many files open. */
async function unreadable(folder: string, name: string): Promise<string> {
  const path = join(folder, name);
  await symlink(path, path);
  return path;
}

test("a data folder that is not there has no files, and one that cannot be read has no backup", async () => {
  await using folder = await temporaryFolder();
  const everything = { artifacts: true };
  expect(await walk(join(folder.path, "none"), everything).next()).toMatchObject({ done: true });
  await expect(walk(await unreadable(folder.path, "data"), everything).next()).rejects.toThrow("ELOOP");
});

test("a catalog that cannot be read is not written anew with one backup in it", async () => {
  await using folder = await temporaryFolder();
  const catalog = openCatalog(folder.path);
  expect(await catalog.list()).toEqual([]);
  await unreadable(folder.path, "catalog.json");
  const entry = { name: "docker-ci_2026-03-01.tgz", madeAt: "2026-03-01T07:00:00.000Z", bytes: 1, stored: {} };
  await expect(catalog.put(entry)).rejects.toThrow("ELOOP");
});

test("a restore under way is seen, or nothing starts", async () => {
  await using folder = await temporaryFolder();
  expect(await readJournal(folder.path)).toBeUndefined();
  await unreadable(folder.path, "restore.json");
  await expect(readJournal(folder.path)).rejects.toThrow("ELOOP");
});
