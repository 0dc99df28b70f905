/** What a process is started with: the adapters and the jobs, which main.ts hands in so that nothing here knows any of them. */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { AskedBackups } from "../backup/asked.ts";
import type { Backups } from "../backup/backups.ts";
import type { Builds } from "../builds/builds.ts";
import type { Chat } from "../chat/chat.ts";
import type { Command } from "../chat/command.ts";
import type { BackupConfig, Config, ReportConfig } from "../config.ts";
import type { DataFolder } from "../data-folder.ts";
import type { WorkerStatus } from "../queue/worker-status.ts";
import type { ReportSources } from "../report/mailing.ts";
import type { PruneScene, Pruning } from "../retention/prune.ts";
import type { Revisions } from "../revisions.ts";
import type { OverdueScene } from "../schedules/overdue.ts";
import type { ForgeApis } from "../triggers/forge-chat.ts";
import type { Hooks } from "../web/hooks/hooks.ts";
import type { ServePages } from "../web/serve.ts";
import type { BuildRunner, Engine, WorkerParts } from "../worker.ts";
import type { ReleaseJobs, ReleaseTools } from "./releases.ts";

export interface StartOptions {
  readonly config: Config;
  readonly log: Logger;
  /** Taken by the caller; let go here, last of all, so that nobody else has it while this process does anything. */
  readonly folder: DataFolder;
  /** Opened by the caller and closed here. */
  readonly chats: readonly Chat[];
  /** Where an address is listened on already; else it is when all is ready. */
  readonly servePages?: ServePages;
  /** Opens the chats that keep something in Redis, once it is there; closed here too. */
  readonly openMore?: (redis: Redis) => Promise<readonly Chat[]>;
  /** Missing where nobody speaks with forges. */
  readonly forgeApis?: ForgeApis;
  /** Understands webhooks, and whether they are genuine. Missing where none come in. */
  readonly readHook?: Hooks["read"];
  readonly commands: readonly Command[];
  /** Missing with `--no-worker`. */
  readonly openEngine: ((instance: string) => Engine) | undefined;
  readonly createRunner: (parts: WorkerParts) => BuildRunner;
  /** Begins to mail the daily report. */
  readonly startReport: (sources: ReportScene) => AsyncDisposable;
  /** Begins to ask for builds by the clock. */
  readonly startNightlies: (scene: NightlyScene) => AsyncDisposable;
  /** Begins to clear up what had its time. */
  readonly startPruning: (scene: PruneScene) => Pruning;
  /** Reach buckets and keys. */
  readonly tools: ReleaseTools;
  readonly loadReleaseJobs: () => Promise<ReleaseJobs>;
  /** Begins to make backups by the clock, and to go on with what could not be done of the newest. */
  readonly startBackups: (job: BackupJob) => AsyncDisposable;
  /** Whether this process answers chats and serves the page, or only works. */
  readonly role: "everything" | "worker";
  /** Sentences for whoever started it. */
  say(text: string): void;
}

/** What jobs/backup.ts needs, which is handed in by main.ts. */
export interface BackupJob extends OverdueScene {
  readonly config: Config;
  readonly redis: Redis;
  readonly log: Logger;
  readonly backup: BackupConfig | undefined;
  readonly backups: Backups;
  readonly asked: Pick<AskedBackups, "resume">;
}

/** What jobs/report.ts needs, which is handed in by main.ts. */
export interface ReportScene extends OverdueScene, Omit<ReportSources, "config"> {
  readonly redis: Redis;
  readonly report: ReportConfig;
  readonly log: Logger;
}

/** What jobs/nightly.ts needs, which is handed in by main.ts. */
export interface NightlyScene extends OverdueScene {
  readonly config: Config;
  readonly builds: Builds;
  readonly revisions: Revisions | undefined;
  readonly redis: Redis;
  readonly log: Logger;
  workers(): Promise<readonly WorkerStatus[]>;
}
