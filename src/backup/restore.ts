/**
 * `docker-ci restore`: an archive is unpacked and checked beside what is there, made ready, and only then put in its place. What it
 * replaces is kept. Nobody else may have the data folder meanwhile.
 */
import { createReadStream } from "node:fs";
import { mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { lockFolder } from "../data-folder.ts";
import { describeError, RuntimeError, UserError } from "../errors.ts";
import { ifMissing } from "../missing.ts";
import { connectRedis } from "../queue/redis.ts";
import { listWorkers } from "../queue/workers.ts";
import { CONFIG_ENTRY, type Header, type Manifest, RECORDS_ENTRY } from "./format.ts";
import { migrate } from "./migrations.ts";
import { keysOf, parseRecords, writeRecords } from "./records.ts";
import { beforeFolder, finishReplacing, holdsAnything, readJournal, stagingOf, writeJournal } from "./replace.ts";
import { startScratchRedis, stopLeftOver } from "./scratch-redis.ts";
import { type Settled, settleRecords } from "./settle-records.ts";
import { databaseOf, writeRecordsFile } from "./snapshot.ts";
import { unpack } from "./unpack.ts";

export interface RestoreScene {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly onProgress?: (done: { readonly files: number; readonly bytes: number }) => void;
}

/** What is about to be restored, and what that replaces. */
export interface RestorePlan {
  readonly header: Header;
  readonly manifest: Manifest;
  /** Where what is there now will be kept; undefined: there is nothing. */
  readonly before: string | undefined;
  /** How many keys of docker-ci are in the Redis that is configured; 0 for the embedded one. */
  readonly foreignKeys: number;
}

export interface Restored extends RestorePlan {
  readonly settled: Settled;
  /** The configuration of that time, without its secrets; undefined where the archive has none. */
  readonly configFile: string | undefined;
}

/**
 * @param open gives the archive. @param agree is asked before anything is replaced; false ends it, with nothing changed.
 * @returns undefined when it was not agreed to.
 * @throws RuntimeError for an archive that is cut, changed or of a newer version: nothing is replaced then.
 */
export async function restore(
  scene: RestoreScene,
  open: () => Promise<AsyncIterable<Uint8Array>>,
  agree: (plan: RestorePlan) => Promise<boolean>,
): Promise<Restored | undefined> {
  const { config, clock } = scene;
  const { dataDir } = config;
  await mkdir(dataDir, { recursive: true });
  await using _lock = await lockFolder(dataDir, "docker-ci", `another docker-ci uses ${dataDir}; stop it first`);
  await finishEarlier(config, scene.log);
  const staging = stagingOf(dataDir);
  await clearStaging(dataDir);
  try {
    await mkdir(staging.unpacked, { recursive: true, mode: 0o700 });
    const { header, manifest } = await unpackChecked(scene, await open());
    const before = (await holdsAnything(dataDir)) ? await beforeFolder(dataDir, clock.now()) : undefined;
    const foreignKeys = await foreignKeysOf(config, scene.log);
    const plan = { header, manifest, before, foreignKeys };
    if (!(await agree(plan))) return undefined;
    const settled = await makeReady(scene, header);
    const configFile = await takeConfig(staging);
    const isForeign = config.redis.kind === "url";
    // From here on a kill is gone on with.
    const target = before ?? (await beforeFolder(dataDir, clock.now()));
    await writeJournal(dataDir, { phase: isForeign ? "records" : "aside", before: target });
    if (isForeign) await writeForeign(config, scene.log);
    await finishReplacing(dataDir);
    // Nothing was there, so nothing is kept.
    if (before === undefined && foreignKeys === 0) await rm(target, { recursive: true, force: true });
    return { ...plan, settled, configFile: configFile && join(dataDir, configFile) };
  } finally {
    if ((await readJournal(dataDir)) === undefined) await clearStaging(dataDir);
  }
}

/** A restore that was killed is done to its end, before another begins. */
async function finishEarlier(config: Config, log: Logger): Promise<void> {
  const journal = await readJournal(config.dataDir);
  if (journal === undefined) return;
  log.info({ phase: journal.phase }, "going on with a restore that was cut short");
  if (journal.phase === "records") await writeForeign(config, log);
  await finishReplacing(config.dataDir);
}

async function clearStaging(dataDir: string): Promise<void> {
  for (const folder of ["next/redis", "scratch"]) await stopLeftOver(join(dataDir, "restore", folder));
  await rm(join(dataDir, "restore"), { recursive: true, force: true });
}

async function unpackChecked(
  { config, signal, onProgress }: RestoreScene,
  source: AsyncIterable<Uint8Array>,
): Promise<{ header: Header; manifest: Manifest }> {
  const { unpacked } = stagingOf(config.dataDir);
  const passphrase = config.backup?.passphrase?.reveal();
  const options = { passphrase, signal, ...(onProgress === undefined ? {} : { onProgress }) };
  try {
    const read = await unpack(source, unpacked, options);
    await migrate(unpacked, read.header);
    return read;
  } catch (error) {
    signal.throwIfAborted();
    throw new RuntimeError(`this archive is not restored: ${describeError(error)}; nothing was replaced`, {
      cause: error,
      retryable: false,
    });
  }
}

/** Fills `next` with what will be the data folder, or with what of it the records of another Redis are not. */
async function makeReady(scene: RestoreScene, header: Header): Promise<Settled> {
  const { config, clock, log, signal } = scene;
  const staging = stagingOf(config.dataDir);
  const data = join(staging.unpacked, "data");
  // A docker-ci that was being set up has no file yet.
  await mkdir(data, { recursive: true });
  await rename(data, staging.next);
  const isForeign = config.redis.kind === "url";
  const folder = isForeign ? join(config.dataDir, "restore", "scratch") : join(staging.next, "redis");
  await using server = await startScratchRedis(folder, { keeps: !isForeign });
  const { redis } = server;
  await writeRecords(redis, parseRecords(createReadStream(join(staging.unpacked, RECORDS_ENTRY))));
  await using later = await openLater(config, header, log);
  const madeAt = new Date(header.madeAt);
  const settled = await settleRecords({ redis, config, clock, log, madeAt, later: later?.redis });
  if (isForeign) await rename((await writeRecordsFile(redis, `${staging.records}.new`, signal)).file, staging.records);
  return settled;
}

async function takeConfig({ unpacked, next }: ReturnType<typeof stagingOf>): Promise<string | undefined> {
  const name = "restored-docker-ci.yml";
  return rename(join(unpacked, CONFIG_ENTRY), join(next, name)).then(
    () => name,
    () => undefined /* there was none */,
  );
}

/** The records that are replaced, if they are of the same docker-ci and can be read: they know what was done since the backup. */
async function openLater(
  config: Config,
  { instance }: Header,
  log: Logger,
): Promise<(AsyncDisposable & { readonly redis: Redis }) | undefined> {
  const present = await readFile(join(config.dataDir, "instance"), "utf8").catch(ifMissing(""));
  if (present.trim() !== instance) return undefined;
  try {
    if (config.redis.kind === "url") {
      const connections = await connectRedis(config, log);
      return { redis: connections.commands, [Symbol.asyncDispose]: () => connections[Symbol.asyncDispose]() };
    }
    const folder = join(config.dataDir, "redis");
    await stat(join(folder, "appendonlydir"));
    // A killed docker-ci left it running; what it has is on the disk.
    await stopLeftOver(folder);
    return await startScratchRedis(folder, { keeps: true });
  } catch (error) {
    log.warn({ reason: describeError(error) }, "what is replaced cannot be read, so nobody knows what was said since");
    return undefined;
  }
}

/** @throws UserError while somebody works with it. */
async function foreignKeysOf(config: Config, log: Logger): Promise<number> {
  if (config.redis.kind !== "url") {
    await stopLeftOver(join(config.dataDir, "redis"));
    return 0;
  }
  await using connections = await connectRedis(config, log);
  const workers = await listWorkers(connections.commands);
  if (workers.length > 0) {
    const names = workers.map(({ name }) => name).join(", ");
    throw new UserError(`somebody works with that Redis (${names}): stop every docker-ci first.`);
  }
  return (await keysOf(connections.commands)).length;
}

/** Keeps what the Redis has, and gives it the restored records instead. Doing it again comes to the same. */
async function writeForeign(config: Config, log: Logger): Promise<void> {
  const { dataDir } = config;
  const journal = await readJournal(dataDir);
  if (journal === undefined) return;
  await using connections = await connectRedis(config, log);
  const redis = connections.commands;
  await mkdir(journal.before, { recursive: true, mode: 0o700 });
  const kept = join(journal.before, RECORDS_ENTRY);
  const isKept = await stat(kept).catch(ifMissing(undefined /* not yet */));
  if (isKept === undefined) {
    const { file } = await writeRecordsFile(redis, `${kept}.new`, AbortSignal.timeout(3_600_000));
    await rename(file, kept);
  }
  const keys = await keysOf(redis);
  for (let at = 0; at < keys.length; at += 500) await redis.unlink(...keys.slice(at, at + 500));
  await writeRecords(redis, parseRecords(createReadStream(stagingOf(dataDir).records)));
  log.info({ keys: keys.length, database: databaseOf(config.redis) }, "records written");
  await writeJournal(dataDir, { ...journal, phase: "aside" });
}
