/** The part of a process that works, and what makes room for it. */

import type { BuildStore } from "../builds/store.ts";
import { type DeliveryScene, openDelivery } from "../delivery/delivery.ts";
import type { Opened } from "../lifecycle.ts";
import { announceProtocol } from "../queue/protocol.ts";
import { everyRelease } from "../retention/needed.ts";
import type { PruneScene } from "../retention/prune.ts";
import { createRetention, type RetentionService } from "../retention/retention.ts";
import { type LocalWorker, openWorker } from "../worker.ts";
import { depotOf } from "./delivery.ts";
import { placesOf } from "./engine.ts";
import type { StartOptions } from "./options.ts";
import type { OpenedRecords } from "./records.ts";

function deliveryScene(options: StartOptions, store: BuildStore): DeliveryScene {
  const { config, log, say } = options;
  return {
    ...{ dataDir: config.dataDir, store, depot: depotOf(options), log, worker: config.workerName },
    warn: (text) => say(`warning: ${text}`),
  };
}

export interface Workshop {
  /** Missing with `--no-worker`. */
  readonly worker: LocalWorker | undefined;
  readonly retention: RetentionService;
}

export async function openWorkshop(options: StartOptions, records: OpenedRecords, opened: Opened): Promise<Workshop> {
  const { config, log, role } = options;
  const { redis, store, engine, instance, clock, ledger, releaseStore } = records;
  const delivery =
    role === "everything" || engine === undefined
      ? undefined
      : opened.add("delivery", openDelivery(deliveryScene(options, store)));
  if (role === "everything") await announceProtocol(redis);
  const scene: PruneScene = {
    config,
    store,
    redis,
    needs: { incidents: () => ledger.open(), releases: () => everyRelease(releaseStore) },
    engine: engine && { runtime: engine.runtime, instance },
    onlyEngine: role === "worker",
    clock,
    log,
  };
  const places = placesOf(config, engine);
  const retention = createRetention(scene, places);
  const pruning = opened.add("clearing up", options.startPruning(scene));
  if (engine === undefined) return { worker: undefined, retention };
  const disks = { places, clearUp: async () => void (await pruning.now()) };
  const { builds, quarantine, flaky, connections } = records;
  const parts = { builds, store, quarantine, flaky, delivery, instance, engine, disks, redis: connections };
  return { worker: await openWorker({ ...options, ...parts }, opened), retention };
}
