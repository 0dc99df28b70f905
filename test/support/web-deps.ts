/** What the pages are made with in a test: real records, and nothing else going on but what the test says. */
import { createAudit } from "../../src/audit/audit.ts";
import { createFlakyLedger } from "../../src/flaky/ledger.ts";
import { createLedger } from "../../src/incidents/ledger.ts";
import { readOutbox } from "../../src/queue/outbox-rooms.ts";
import { listWorkers } from "../../src/queue/workers.ts";
import { openResults } from "../../src/results/results.ts";
import { createSchedules } from "../../src/schedules/schedules.ts";
import type { WebDeps } from "../../src/web/deps.ts";
import { clock, type Records } from "./records.ts";
import { openReleases } from "./releases.ts";
import { NO_PULL_REQUESTS } from "./talk.ts";

export function webDeps(records: Records, changes: Partial<WebDeps> = {}): WebDeps {
  const { config, builds, log, redis } = records;
  return {
    redis: redis.commands,
    config,
    builds,
    clock,
    version: "1.0.0",
    log,
    outbox: () => readOutbox(redis.commands, new Map()),
    incidents: () => createLedger(redis.commands).open(),
    workers: () => listWorkers(redis.commands),
    metrics: { contentType: "text/plain", text: async () => "" },
    flaky: createFlakyLedger(redis.commands, clock, log),
    skipped: async () => [],
    pullRequests: NO_PULL_REQUESTS,
    releases: openReleases(records).releases,
    schedules: createSchedules(config, redis.commands),
    audit: createAudit(redis.commands, clock),
    health: async () => ({}),
    openLog: async () => undefined,
    logLines: async () => undefined,
    async *followLog() {
      // Nobody follows one here.
    },
    results: openResults(records.dataDir, () => undefined),
    changes: async () => undefined,
    ...changes,
  };
}
