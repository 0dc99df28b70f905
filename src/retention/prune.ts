/** Clearing up: what had its time goes, and what anybody still needs stays. */
import { randomUUID } from "node:crypto";
import { setImmediate as breathe } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { isFinished } from "../builds/build.ts";
import type { BuildStore } from "../builds/store.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { RuntimeError } from "../errors.ts";
import { BuildNumber, ProjectName } from "../names.ts";
import { script } from "../queue/script.ts";
import { type EngineScene, expiredOnEngine, type OnEngine, removeFromEngine } from "./engine.ts";
import { type BuildFacts, factsOf } from "./facts.ts";
import { bytesOf, type Kind, oldSmokeLogs, orphans, pathsOf, removePath } from "./files.ts";
import { type Needs, neededBuilds } from "./needed.ts";
import { type Goes, judgeBuilds } from "./plan.ts";

const LOCK = "docker-ci:prune:lock";
const LOCK_MS = 10 * 60_000;
/** Whoever stood still for longer has lost it, and leaves the next one's alone. */
const RENEW = script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`);
const GIVE_BACK = script(`if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`);
const NO_BYTES: Readonly<Record<Kind, number>> = { log: 0, artifacts: 0, coverage: 0, results: 0 };
const NO_PARTS = { log: 0, artifacts: 0, coverage: 0 } as const;
const UNKNOWN = ProjectName.parse("unknown");

export interface PruneScene {
  readonly config: Pick<Config, "dataDir" | "retention">;
  readonly store: BuildStore;
  readonly redis: Redis;
  readonly needs: Needs;
  /** Missing where there is no engine, or none is to be cleared up. */
  readonly engine: EngineScene | undefined;
  /** The records and their files are somebody else's: a worker on another machine clears up its engine alone. */
  readonly onlyEngine?: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Pruned {
  /** Records that went, with everything of theirs. */
  readonly builds: number;
  /** Builds that lost a part of theirs. */
  readonly parts: Readonly<Record<"log" | "artifacts" | "coverage", number>>;
  readonly bytes: Readonly<Record<Kind, number>>;
  /** Files of builds that nobody knows of. */
  readonly orphans: number;
  readonly engine: OnEngine;
  /** What had its time and is needed still. */
  readonly kept: number;
}

/** Clears up by itself, now and then; see jobs/prune.ts. */
export interface Pruning extends AsyncDisposable {
  /** Clears up now, or waits for the one who is at it. Never throws. */
  now(): Promise<Pruned | undefined>;
}

export interface PruneOptions {
  /** Only says what would go. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  /** Told as it goes on: how many of how many. */
  onProgress?(done: number, of: number): void;
}

/**
 * Clears up once. Files go before their record, so that a run that was cut short leaves nothing that the next one does not find.
 * @returns undefined when another process is at it.
 */
export async function prune(scene: PruneScene, options: PruneOptions): Promise<Pruned | undefined> {
  const { redis } = scene;
  if (scene.onlyEngine === true) return pruneEngineAlone(scene, options);
  const mine = randomUUID();
  if (!options.dryRun && (await redis.set(LOCK, mine, "PX", LOCK_MS, "NX")) === null) return undefined;
  try {
    return await pruneNow(scene, options, async () => (await RENEW(redis, [LOCK], [mine, LOCK_MS])) === 1);
  } finally {
    // It fades by itself where Redis is away.
    if (!options.dryRun) await GIVE_BACK(redis, [LOCK], [mine]).catch(() => undefined);
  }
}

async function pruneEngineAlone(scene: PruneScene, { dryRun, signal }: PruneOptions): Promise<Pruned> {
  const engine = await onEngine(scene, await everyBuild(scene.store, signal), dryRun);
  return { builds: 0, parts: NO_PARTS, bytes: NO_BYTES, orphans: 0, engine, kept: 0 };
}

/** @param renew whether the lock is still ours. @throws RuntimeError when it is not: what went so far is gone, the rest is the other's. */
async function pruneNow(
  scene: PruneScene,
  { dryRun, signal, onProgress }: PruneOptions,
  renew: () => Promise<boolean>,
): Promise<Pruned> {
  const { config, store, needs, clock } = scene;
  const { dataDir, retention } = config;
  const facts = await everyBuild(store, signal);
  const { goes, kept } = judgeBuilds(facts, await neededBuilds(needs), retention, clock.now());
  const bytes: Record<Kind, number> = { ...NO_BYTES };
  const parts: Record<"log" | "artifacts" | "coverage", number> = { ...NO_PARTS };
  let builds = 0;
  const clear = async (kind: Kind, path: string): Promise<number> => {
    const size = await bytesOf(path);
    bytes[kind] += size;
    if (!dryRun && size > 0) await removePath(path);
    return size;
  };
  for (const [done, each] of goes.entries()) {
    signal.throwIfAborted();
    for (const [kind, path] of pathsOf(dataDir, each)) {
      const size = await clear(kind, path);
      if (size > 0 && kind !== "results" && !each.what.includes("build")) parts[kind] += 1;
    }
    if (each.what.includes("build") && (dryRun || (await forget(store, each)))) builds += 1;
    if (done % 100 === 99) {
      onProgress?.(done + 1, goes.length);
      if (!dryRun && !(await renew())) throw new RuntimeError("another process clears up now", { retryable: true });
      // Whoever waits for an answer of this process is let in between.
      await breathe();
    }
  }
  const left = await orphans(dataDir, knownTo(facts, builds === 0 ? [] : goes), clock.now());
  const old = await oldSmokeLogs(dataDir, retention.logsMs, clock.now());
  for (const [kind, path] of [...left, ...old]) await clear(kind, path);
  const engine = await onEngine(scene, facts, dryRun);
  return { builds, parts, bytes, orphans: left.length, engine, kept };
}

async function forget(store: BuildStore, { number }: Goes): Promise<boolean> {
  const build = await store.get(number);
  return build !== undefined && isFinished(build) && (await store.remove(build));
}

/** What came after the survey is known too. */
function knownTo(facts: readonly BuildFacts[], goes: readonly Goes[]): (number: number) => boolean {
  const gone = new Set(goes.filter(({ what }) => what.includes("build")).map(({ number }) => Number(number)));
  const numbers = new Set(facts.map(({ number }) => Number(number)));
  const newest = facts.reduce((most, { number }) => Math.max(most, number), 0);
  return (number) => number > newest || (numbers.has(number) && !gone.has(number));
}

async function everyBuild(store: BuildStore, signal: AbortSignal): Promise<BuildFacts[]> {
  const facts: BuildFacts[] = [];
  for await (const numbers of store.numbers()) {
    signal.throwIfAborted();
    const builds = await store.many(numbers);
    const read = new Set(builds.map(({ number }) => String(number)));
    // A record that cannot be read, as after a downgrade, is somebody's still: nothing of it goes.
    const unread = numbers.filter((number) => !read.has(number)).map(unknownFacts);
    facts.push(...builds.map(factsOf), ...unread);
    await breathe();
  }
  return facts;
}

function unknownFacts(number: string): BuildFacts {
  return {
    number: BuildNumber.parse(number),
    // Its own is not known; nothing is asked of it, as it counts as not over.
    project: UNKNOWN,
    branch: undefined,
    pullRequest: undefined,
    state: "running",
    finishedAt: undefined,
  };
}

async function onEngine(scene: PruneScene, facts: readonly BuildFacts[], dryRun: boolean): Promise<OnEngine> {
  const { engine, config, clock } = scene;
  if (engine === undefined) return { images: [], volumes: [] };
  const expired = await expiredOnEngine(engine, facts, config.retention, clock.now());
  if (!dryRun) await removeFromEngine(engine, expired);
  return expired;
}
