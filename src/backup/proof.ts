/** Proof that a backup restores: it is restored into a folder and a Redis of its own, and compared with what it says of itself. */
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { createAudit } from "../audit/audit.ts";
import { logsFolder, openLog } from "../builds/log-files.ts";
import { createBuildStore } from "../builds/store.ts";
import { systemClock } from "../clock.ts";
import { RuntimeError } from "../errors.ts";
import { RECORDS_ENTRY, type RecordsSummary } from "./format.ts";
import { parseRecords, writeRecords } from "./records.ts";
import { startScratchRedis } from "./scratch-redis.ts";
import { writeRecordsFile } from "./snapshot.ts";
import { type Unpacked, type UnpackOptions, unpack } from "./unpack.ts";

/**
 * @param folder an empty one, emptied again. @returns what it holds, and the hash of the file.
 * @throws RuntimeError with a phrase for why it does not restore.
 */
export async function prove(
  file: string,
  folder: string,
  options: UnpackOptions,
): Promise<Unpacked & { readonly sha256: string }> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    const sha256 = createHash("sha256");
    const unpacked = await unpack(hashed(file, sha256), folder, options);
    await using server = await startScratchRedis(join(folder, "redis"));
    await proveRecords(server.redis, folder, unpacked.manifest.records, options.signal);
    await proveNewest(server.redis, folder, unpacked.manifest.records);
    const verdict = await createAudit(server.redis, systemClock).verify();
    if (!verdict.ok) throw fault(`entry ${verdict.at} of its audit log does not fit: ${verdict.reason}`);
    return { ...unpacked, sha256: sha256.digest("hex") };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function* hashed(file: string, hash: Hash): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 })) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError("a file is read as bytes");
    hash.update(chunk);
    yield chunk;
  }
}

async function proveRecords(redis: Redis, folder: string, said: RecordsSummary, signal: AbortSignal): Promise<void> {
  const before = join(folder, RECORDS_ENTRY);
  await writeRecords(redis, parseRecords(createReadStream(before)), { fading: false });
  const after = await writeRecordsFile(redis, join(folder, "again.jsonl"), signal);
  for (const [what, there, expected] of [
    ["keys", after.summary.keys, said.keys],
    ["builds", after.summary.builds, said.builds],
    ["audit entries", after.summary.audit, said.audit],
  ] as const) {
    if (there !== expected) throw fault(`of ${expected} ${what} there were ${there} in Redis`);
  }
  if ((await hashOf(before)) !== (await hashOf(after.file))) throw fault("its records came out of Redis otherwise");
}

/** Of the records without the times at which they fade, which a comparison must outlive. */
async function hashOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const { expiresAt: _, ...record } of parseRecords(createReadStream(file)))
    hash.update(JSON.stringify(record));
  return hash.digest("hex");
}

/** As somebody who looks at it would open it: its record, its plan, its log to the end. */
async function proveNewest(redis: Redis, folder: string, { newest }: RecordsSummary): Promise<void> {
  if (newest === undefined) return;
  const store = createBuildStore(redis);
  if ((await store.get(newest)) === undefined) throw fault(`build #${newest} cannot be read`);
  await store.plan(newest);
  const log = await openLog(logsFolder({ dataDir: join(folder, "data") }), newest);
  if (log === undefined) return;
  try {
    for await (const _ of log) {
      // Only whether it can be read.
    }
  } catch (cause) {
    throw new RuntimeError(`the log of build #${newest} cannot be read`, { cause, retryable: false });
  }
}

function fault(reason: string): RuntimeError {
  return new RuntimeError(reason, { retryable: false });
}
