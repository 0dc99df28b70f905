/** Clearing up, as commands and the command line ask for it. */
import type { Place } from "./disk.ts";
import { type Pruned, type PruneScene, prune } from "./prune.ts";
import { type Usage, usageOf } from "./usage.ts";

export interface RetentionService {
  usage(): Promise<Usage>;
  /** @param dryRun only says what would go. Undefined: somebody is at it already. */
  prune(dryRun: boolean): Promise<Pruned | undefined>;
}

/** A whole look at a large instance takes a while, and a person waits for it. */
const PATIENCE_MS = 10 * 60_000;

export function createRetention(scene: PruneScene, places: () => Promise<readonly Place[]>): RetentionService {
  const { dataDir, retention } = scene.config;
  return {
    usage: async () => usageOf(dataDir, await places(), retention.freeBytes),
    prune: (dryRun) => prune(scene, { dryRun, signal: AbortSignal.timeout(PATIENCE_MS) }),
  };
}
