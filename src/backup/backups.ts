/**
 * Backups: made, proven, copied to their buckets and taken away again when their time is over. Whoever makes one holds a lock that
 * the kernel gives up with the process; what a killed one left is swept by the next. Nothing of a backup has a name before it is
 * whole, and what could not be done of it (proof, a bucket that is away) is done later by whoever looks (`heal`).
 */
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Logger } from "pino";
import { claimBucket } from "../bucket-owner.ts";
import { holdSmallHeap } from "../command-line/small-heap.ts";
import type { Config } from "../config.ts";
import { FolderTakenError, lockFolder, readInstance } from "../data-folder.ts";
import { describeError, RuntimeError, UserError } from "../errors.ts";
import type { ObjectStore, OpenStore } from "../object-store.ts";
import { formatBytes, formatDuration } from "../units.ts";
import { type AlarmScene, type BackupTrouble, readTrouble, setTrouble } from "./alarm.ts";
import { writeArchive } from "./archive.ts";
import { type CatalogEntry, type Listed, openCatalog } from "./catalog.ts";
import { backupFolder, backupName, keptNames } from "./names.ts";
import { type BackupProgress, type ProgressTeller, readProgress, tellProgress } from "./progress.ts";
import { prove } from "./proof.ts";
import { pruneStored, replicate } from "./replicate.ts";
import { takeSnapshot } from "./snapshot.ts";
import { openWorkshop } from "./workshop.ts";

export interface BackupsScene extends AlarmScene {
  readonly config: Pick<
    Config,
    | "backup"
    | "deployment"
    | "prefix"
    | "dataDir"
    | "redis"
    | "file"
    | "timezone"
    | "url"
    | "mail"
    | "notify"
    | "projects"
  >;
  readonly log: Logger;
  readonly openStore: OpenStore;
}

export interface BackupOutcome {
  readonly kind: "stored" | "unchanged";
  readonly entry: CatalogEntry;
  readonly tookMs: number;
  /** Phrases: what could not be done of it yet. */
  readonly problems: readonly string[];
}

export interface BackupOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: BackupProgress) => void;
  /** Nobody else is at one, and this one is under way. */
  readonly onBegun?: () => unknown;
}

/** What retention takes: here, and by the name of the bucket. */
export interface Pruned {
  readonly here: readonly string[];
  readonly stored: ReadonlyMap<string, readonly string[]>;
}

export interface BackupsState {
  /** The newest first. */
  readonly backups: readonly Listed[];
  readonly progress: BackupProgress | undefined;
  readonly trouble: BackupTrouble | undefined;
}

/** Fourteen days, as where the configuration says nothing. */
const KEEP = { daily: 14, weekly: 0, monthly: 0 };

export type Backups = ReturnType<typeof createBackups>;

export function createBackups(scene: BackupsScene) {
  const { config, redis, clock, log } = scene;
  const folder = backupFolder(config);
  const parent = dirname(folder);
  const catalog = openCatalog(folder);
  const keep = config.backup?.keep ?? KEEP;
  const passphrase = config.backup?.passphrase?.reveal();

  async function lock(): Promise<AsyncDisposable> {
    await mkdir(folder, { recursive: true });
    try {
      return await lockFolder(parent, "backup", "a backup is being made already");
    } catch (error) {
      if (!(error instanceof FolderTakenError)) throw error;
      // What it says is meant for somebody who starts docker-ci.
      throw new UserError(`a backup is being made already; ${config.prefix}backups says how far it is.`);
    }
  }

  async function make(
    work: string,
    teller: ProgressTeller,
    signal: AbortSignal,
  ): Promise<Pick<BackupOutcome, "kind" | "entry">> {
    const madeAt = clock.now();
    const startedAt = madeAt.toISOString();
    teller.tell({ phase: "records", startedAt, files: 0, bytes: 0 }, true);
    await mkdir(join(work, "snapshot"), { recursive: true, mode: 0o700 });
    const snapshot = await takeSnapshot(config, join(work, "snapshot"), signal);
    const file = join(work, "archive");
    const source = { config, instance: await readInstance(config.dataDir), madeAt, snapshot };
    const onProgress = (done: { files: number; bytes: number }): void =>
      teller.tell({ phase: "files", startedAt, ...done });
    const { sha256, bytes, manifest } = await writeArchive(source, file, { signal, onProgress });
    const { content } = manifest;
    const known = await catalog.list();
    const newest = known[0];
    const encrypted = passphrase !== undefined;
    const isSame = newest?.content === content && newest.name.endsWith(".age") === encrypted;
    if (newest !== undefined && isSame && newest.isThere && newest.fault === undefined) {
      const entry = { ...newest, unchangedAt: startedAt };
      await catalog.put(entry);
      await catalog.point(newest.name);
      return { kind: "unchanged", entry };
    }
    const taken = new Set(known.map(({ name }) => name));
    const name = backupName(madeAt, { timezone: config.timezone, encrypted, taken });
    await rename(file, join(folder, name));
    const { builds } = manifest.records;
    const entry: CatalogEntry = { name, madeAt: startedAt, bytes, sha256, content, builds, stored: {} };
    await catalog.put(entry);
    await catalog.point(name);
    log.info({ backup: name, bytes, files: manifest.files.length, builds }, "backup made");
    return { kind: "stored", entry };
  }

  /** Proves the newest, and puts it where it is not yet. @returns what is wrong with it. */
  async function settle(work: string, teller: ProgressTeller, signal: AbortSignal): Promise<string[]> {
    const newest = (await catalog.list())[0];
    if (newest === undefined) return [];
    if (!newest.isThere) return [`${newest.name} is missing in ${folder}, or not as long as it was`];
    const proven = newest.provenAt === undefined ? await proveOne(newest, work, teller, signal) : newest;
    if (proven.fault !== undefined) return [`${proven.name} does not restore: ${proven.fault}`];
    const problems: string[] = [];
    for (const bucket of config.backup?.targets ?? []) {
      await using store = await scene.openStore(bucket);
      try {
        await copyTo(store, proven.name, teller, signal);
      } catch (error) {
        signal.throwIfAborted();
        log.warn({ err: error, backup: proven.name, target: store.name }, "a backup is not in its bucket yet");
        problems.push(`${proven.name} is not at ${store.name}: ${describeError(error)}`);
      }
    }
    return problems;
  }

  async function proveOne(
    entry: CatalogEntry,
    work: string,
    teller: ProgressTeller,
    signal: AbortSignal,
  ): Promise<CatalogEntry> {
    const startedAt = clock.now().toISOString();
    teller.tell({ phase: "proof", startedAt, files: 0, bytes: 0 }, true);
    const onProgress = (done: { files: number; bytes: number }): void =>
      teller.tell({ phase: "proof", startedAt, ...done });
    let next: CatalogEntry;
    try {
      const file = join(folder, entry.name);
      const { header, manifest, sha256 } = await prove(file, join(work, "proof"), { passphrase, signal, onProgress });
      if (entry.sha256 !== undefined && entry.sha256 !== sha256) throw new Error("it was changed since it was made");
      const { madeAt } = header;
      const { content, records } = manifest;
      next = { ...entry, madeAt, sha256, content, builds: records.builds, provenAt: clock.now().toISOString() };
      log.info({ backup: entry.name, builds: records.builds, files: manifest.files.length }, "backup proven");
    } catch (error) {
      signal.throwIfAborted();
      // A full disk, say, tells nothing of the backup: it is proven when there is room.
      if (error instanceof RuntimeError && error.retryable) {
        throw new RuntimeError(`${entry.name} could not be proven: ${describeError(error)}`, { cause: error });
      }
      log.error({ err: error, backup: entry.name }, "a backup does not restore");
      next = { ...entry, fault: describeError(error) };
    }
    await catalog.put(next);
    return next;
  }

  async function copyTo(store: ObjectStore, name: string, teller: ProgressTeller, signal: AbortSignal): Promise<void> {
    const entry = (await catalog.list()).find((each) => each.name === name);
    if (entry === undefined || entry.stored[store.name] !== undefined) return;
    const startedAt = clock.now().toISOString();
    const progress = { phase: "copy" as const, startedAt, files: 0, target: store.name };
    teller.tell({ ...progress, bytes: 0 }, true);
    await store.probe(signal);
    await claimBucket(store, config.deployment, signal);
    await replicate({ store, folder, signal }, entry, (bytes) => teller.tell({ ...progress, bytes }));
    await catalog.put({ ...entry, stored: { ...entry.stored, [store.name]: clock.now().toISOString() } });
    log.info({ backup: name, target: store.name }, "backup copied");
  }

  async function pruneHere(dryRun: boolean): Promise<string[]> {
    const listed = await catalog.list();
    const kept = new Set(
      keptNames(
        listed.map(({ name }) => name),
        keep,
      ),
    );
    // One that is known to restore stays whatever became of the newer ones.
    const good = listed.find(({ provenAt, isThere }) => provenAt !== undefined && isThere);
    if (good !== undefined) kept.add(good.name);
    const over = listed.map(({ name }) => name).filter((name) => !kept.has(name));
    for (const name of dryRun ? [] : over) {
      await rm(join(folder, name), { force: true });
      await catalog.forget(name);
    }
    return over;
  }

  async function prune(dryRun: boolean, signal: AbortSignal): Promise<Pruned> {
    const here = await pruneHere(dryRun);
    const stored = new Map<string, readonly string[]>();
    for (const bucket of config.backup?.targets ?? []) {
      await using store = await scene.openStore(bucket);
      if (!dryRun) await claimBucket(store, config.deployment, signal);
      stored.set(store.name, await pruneStored({ store, folder, signal }, keep, dryRun));
    }
    return { here, stored };
  }

  /** What every run ends with, whether it made one or not. */
  async function finish(work: string, teller: ProgressTeller, signal: AbortSignal): Promise<string[]> {
    const problems = await settle(work, teller, signal);
    if (problems.length === 0) {
      await prune(false, signal).catch((error: unknown) => {
        signal.throwIfAborted();
        problems.push(`old backups could not be removed: ${describeError(error)}`);
      });
    }
    await setTrouble(scene, problems[0]);
    return problems;
  }

  async function within<T>(
    { signal, onProgress, onBegun }: BackupOptions,
    act: (work: string, teller: ProgressTeller) => Promise<T>,
  ): Promise<T> {
    await using _lock = await lock();
    // Gigabytes go by and nothing of them stays.
    const letGrow = holdSmallHeap();
    const teller = tellProgress(redis, onProgress);
    try {
      await onBegun?.();
      await using workshop = await openWorkshop(parent);
      return await act(workshop.path, teller);
    } catch (error) {
      signal.throwIfAborted();
      await setTrouble(scene, describeError(error)).catch((cause: unknown) => {
        log.error({ err: cause }, "that a backup failed could not be said");
      });
      throw error;
    } finally {
      letGrow();
      await teller.end();
    }
  }

  return {
    /** Where they lie. */
    folder,

    /**
     * Makes one, proves it, copies it and removes old ones. What cannot be copied is told in `problems`, and tried again later.
     * @throws UserError while another is made; RuntimeError when there is none: then everybody was told.
     */
    run: (options: BackupOptions): Promise<BackupOutcome> =>
      within(options, async (work, teller) => {
        const begun = performance.now();
        const made = await make(work, teller, options.signal);
        const problems = await finish(work, teller, options.signal);
        const entry = (await catalog.list()).find(({ name }) => name === made.entry.name) ?? made.entry;
        return { ...made, entry, problems, tookMs: performance.now() - begun };
      }),

    /** Does what could not be done of the newest. @returns what still is wrong. */
    heal: (options: BackupOptions): Promise<readonly string[]> =>
      within(options, (work, teller) => finish(work, teller, options.signal)),

    /** Whether `heal` has something to do. */
    async needsHealing(): Promise<boolean> {
      const newest = (await catalog.list())[0];
      if (newest === undefined) return false;
      const trouble = await readTrouble(redis);
      const isProven = newest.provenAt !== undefined || newest.fault !== undefined;
      const copies = Object.keys(newest.stored).length;
      if (!newest.isThere) return trouble === undefined;
      return !isProven || (newest.fault === undefined && copies < (config.backup?.targets.length ?? 0));
    },

    /** @param dryRun tells what would go, and removes nothing. */
    async prune(dryRun: boolean, signal: AbortSignal): Promise<Pruned> {
      if (dryRun) return prune(true, signal);
      await using _lock = await lock();
      return prune(false, signal);
    },

    async state(): Promise<BackupsState> {
      const [backups, progress, trouble] = await Promise.all([catalog.list(), readProgress(redis), readTrouble(redis)]);
      return { backups, progress, trouble };
    },
  };
}

/** `docker-ci_2026-11-22.tgz`, `1.2 GiB`, `10,000 builds`, `took 1m02s`: the facts of what came of it. */
export function outcomeFacts({ kind, entry, tookMs, problems }: BackupOutcome): string[] {
  const copies = Object.keys(entry.stored);
  const size = `${entry.name}, ${formatBytes(entry.bytes)}`;
  return [
    kind === "unchanged" ? `nothing changed since ${entry.name}: nothing new is stored` : `backup made: ${size}`,
    entry.provenAt === undefined ? "" : "proven: it restores",
    copies.length === 0 ? "" : `also at ${copies.join(", ")}`,
    ...problems,
    `took ${formatDuration(tookMs)}`,
  ];
}
