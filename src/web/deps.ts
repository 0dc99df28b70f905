/** What the pages know of the running docker-ci, and what they share with each other. */
import type { Readable } from "node:stream";
import type { Context } from "hono";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Audit } from "../audit/audit.ts";
import type { BackupsState } from "../backup/backups.ts";
import type { Builds } from "../builds/builds.ts";
import type { ReadChanges } from "../builds/changes.ts";
import type { LiveEvent } from "../builds/live-log.ts";
import type { LogLine } from "../builds/log-files.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Bring } from "../delivery/bring.ts";
import type { FlakyLedger } from "../flaky/ledger.ts";
import type { Incident } from "../incidents/incident.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { BuildNumber } from "../names.ts";
import type { OutboxState } from "../queue/outbox-rooms.ts";
import type { WorkerStatus } from "../queue/worker-status.ts";
import type { Releases } from "../releases/releases.ts";
import type { Results } from "../results/results.ts";
import type { Schedules } from "../schedules/schedules.ts";
import type { PullRequests } from "../triggers/allow-pull-request.ts";
import type { Skipped } from "../triggers/skipped.ts";
import type { Hooks } from "./hooks/hooks.ts";
import type { Bar } from "./shell.tsx";

export interface WebDeps {
  /** For what the page itself keeps. */
  readonly redis: Redis;
  readonly config: Config;
  readonly builds: Builds;
  readonly clock: Clock;
  readonly version: string;
  readonly log: Logger;
  /** Resolves when everything that a build needs answers; rejects with what does not. */
  health(): Promise<Record<string, string>>;
  /** What waits to be said, where and why. */
  outbox(): Promise<OutboxState>;
  /** Missing where none are made. */
  backups?(): Promise<BackupsState>;
  /** What is broken, the oldest first. */
  incidents(): Promise<readonly Incident[]>;
  /** The workers that were heard of in the last seconds. */
  workers(): Promise<readonly WorkerStatus[]>;
  /** The text of `/metrics`. */
  readonly metrics: Metrics;
  readonly flaky: Pick<FlakyLedger, "events">;
  /** What changed and was not built, the newest first. */
  skipped(): Promise<readonly Skipped[]>;
  /** Those of outsiders that wait for somebody's word. */
  readonly pullRequests: PullRequests;
  readonly releases: Pick<Releases, "get" | "latest" | "waiting" | "request" | "approve" | "reject">;
  readonly schedules: Schedules;
  readonly audit: Pick<Audit, "latest" | "record">;
  openLog(number: BuildNumber): Promise<Readable | undefined>;
  logLines(number: BuildNumber, count: number): Promise<readonly LogLine[] | undefined>;
  /** What comes to the log behind the byte `after`, or from the oldest that is still live. */
  followLog(number: BuildNumber, signal: AbortSignal, after?: number): AsyncIterable<LiveEvent>;
  /** What builds left behind: tests, coverage. */
  readonly results: Results;
  readonly changes: ReadChanges;
  /** Fetches what a build left behind from where its worker put it; missing where all comes here by itself. */
  readonly bring?: Bring;
  /** Missing where no webhooks come in. */
  readonly hooks?: Hooks;
}

/** What every area's pages are made with. */
export interface Frame {
  bar(c: Context): Promise<Bar>;
  /** A page for an address where there is nothing, with status 404. */
  missing(c: Context, what: string): Promise<Response>;
}
