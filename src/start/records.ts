/** What is kept, and all that is read and changed in it: builds, their logs and results, what they mean for branches and tests. */
import { createAudit } from "../audit/audit.ts";
import { createAskedHere } from "../builds/asked-here.ts";
import { createBuilds } from "../builds/builds.ts";
import { lastLines, logsFolder, openLog } from "../builds/log-files.ts";
import type { BuildStore } from "../builds/store.ts";
import { systemClock } from "../clock.ts";
import { createFlakyLedger } from "../flaky/ledger.ts";
import { createQuarantine } from "../flaky/quarantine.ts";
import { createIncidents } from "../incidents/incidents.ts";
import { createLedger } from "../incidents/ledger.ts";
import { createSubscriptions } from "../incidents/subscriptions.ts";
import type { Opened } from "../lifecycle.ts";
import { createBuildQueue } from "../queue/build-queue.ts";
import type { RedisConnections } from "../queue/redis.ts";
import { listWorkers } from "../queue/workers.ts";
import { createReleaseStore } from "../releases/redis-store.ts";
import { openResults } from "../results/results.ts";
import { createSchedules } from "../schedules/schedules.ts";
import { bringingOf, bringingResults } from "./delivery.ts";
import type { StartOptions } from "./options.ts";

export interface GivenRecords {
  readonly connections: RedisConnections;
  readonly store: BuildStore;
  /** Names the data folder. */
  readonly instance: string;
  /** Whether a network is a chat of this process. */
  isChat(network: string): boolean;
}

export type OpenedRecords = ReturnType<typeof openRecords>;

/** @param opened closes what is opened here: the queue, and the engine's testbuilder. */
export function openRecords(options: StartOptions, given: GivenRecords, opened: Opened) {
  const { config, log } = options;
  const { connections, store, instance } = given;
  const clock = systemClock;
  const redis = connections.commands;
  const queue = opened.add("queue", createBuildQueue(connections.open(), store, log));
  const engine = options.openEngine?.(instance);
  if (engine !== undefined) opened.add("testbuilder", engine.revisions);
  const revisions = engine?.revisions;
  const asked = createAskedHere(store, given.isChat);
  const builds = createBuilds({ config, store, queue, revisions, redis, clock, log, onAccepted: asked.note });

  const bring = bringingOf(options, store, instance);
  const results = bringingResults(
    openResults(config.dataDir, (fields, message) => log.warn(fields, message)),
    bring,
  );
  const logs = logsFolder(config);
  const openKept = async (number: number) => {
    await bring?.(number, "log");
    return openLog(logs, number);
  };
  const logLines = async (number: number, count: number, pattern?: RegExp) => {
    const whole = await openKept(number);
    return whole === undefined ? undefined : lastLines(whole, count, pattern);
  };

  const ledger = createLedger(redis);
  const subscriptions = createSubscriptions(redis, clock);
  return {
    config,
    clock,
    log,
    connections,
    redis,
    instance,
    engine,
    revisions,
    store,
    builds,
    asked,
    workers: () => listWorkers(redis),
    /** Undefined where no worker leaves anything in a bucket. */
    bring,
    results,
    logs,
    openLog: openKept,
    logLines,
    quarantine: createQuarantine(redis, clock, log),
    flaky: createFlakyLedger(redis, clock, log),
    ledger,
    subscriptions,
    incidents: createIncidents({ config, ledger, subscriptions, clock }),
    schedules: createSchedules(config, redis),
    releaseStore: createReleaseStore(redis, log),
    audit: createAudit(redis, clock),
  };
}
