/** Backups in buckets: put there whole, pointed to, and taken away again when their time is over. */
import { createReadStream } from "node:fs";
import { join } from "node:path";
import type { BackupKeep } from "../config.ts";
import { RuntimeError } from "../errors.ts";
import type { ObjectStore } from "../object-store.ts";
import type { CatalogEntry } from "./catalog.ts";
import { isBackupName, KEY_PREFIX, keptNames, NEWEST } from "./names.ts";

export interface Replication {
  readonly store: ObjectStore;
  readonly folder: string;
  readonly signal: AbortSignal;
}

/**
 * Puts it there under its key, and then lets the bucket's `docker-ci.tgz` be the same, copied by the server (O-103).
 * @throws RuntimeError also when less arrived than was sent.
 */
export async function replicate(
  { store, folder, signal }: Replication,
  entry: CatalogEntry,
  onProgress?: (bytes: number) => void,
): Promise<void> {
  const key = KEY_PREFIX + entry.name;
  const { sha256 } = entry;
  if (sha256 === undefined) throw new RuntimeError(`${entry.name} was not proven yet`);
  // Whoever has the lock is the only one to write there, so what an earlier process began nobody goes on with.
  await store.abandonUploads(KEY_PREFIX, new Date(), signal);
  const options = {
    contentType: "application/octet-stream",
    sha256,
    bytes: entry.bytes,
    ...(onProgress === undefined ? {} : { onProgress }),
  };
  await store.put(key, createReadStream(join(folder, entry.name), { highWaterMark: 256 * 1024 }), options, signal);
  await sameSize(store, key, entry.bytes, signal);
  await store.copy(key, NEWEST, signal);
  await sameSize(store, NEWEST, entry.bytes, signal);
}

async function sameSize(store: ObjectStore, key: string, bytes: number, signal: AbortSignal): Promise<void> {
  const there = await store.head(key, signal);
  if (there?.bytes !== bytes) {
    throw new RuntimeError(`${store.name}/${key} has ${there?.bytes ?? "no"} bytes of ${bytes}`);
  }
}

/** Names of the backups that are in the bucket. */
async function storedNames({ store, signal }: Replication): Promise<string[]> {
  const names: string[] = [];
  for await (const { key } of store.list(KEY_PREFIX, signal)) names.push(key.slice(KEY_PREFIX.length));
  return names.filter(isBackupName);
}

/** Removes those whose time is over; nothing else that lies there. @returns their names. */
export async function pruneStored(replication: Replication, keep: BackupKeep, dryRun: boolean): Promise<string[]> {
  const names = await storedNames(replication);
  const kept = keptNames(names, keep);
  const over = names.filter((name) => !kept.has(name));
  if (!dryRun) for (const name of over) await replication.store.remove(KEY_PREFIX + name, replication.signal);
  return over;
}
