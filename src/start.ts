/**
 * The running docker-ci: bot, page and worker in one process, opened in order and closed in the reverse one. The adapters come
 * from main.ts, so that this reads without knowing any of them.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { createAudit } from "./audit/audit.ts";
import { type AskedBackups, createAskedBackups } from "./backup/asked.ts";
import { type Backups, createBackups } from "./backup/backups.ts";
import { createAskedHere } from "./builds/asked-here.ts";
import { type Build, isFinished } from "./builds/build.ts";
import { type Builds, createBuilds } from "./builds/builds.ts";
import { createChanges } from "./builds/changes.ts";
import { startFilling } from "./builds/fill-history.ts";
import { createLiveLogs } from "./builds/live-log.ts";
import { lastLines, logsFolder, openLog } from "./builds/log-files.ts";
import { showProgress } from "./builds/progress.ts";
import { createBuildStore } from "./builds/store.ts";
import type { Chat } from "./chat/chat.ts";
import type { Command } from "./chat/command.ts";
import { createDispatcher } from "./chat/dispatch.ts";
import { hearChats } from "./chat/hear.ts";
import { systemClock } from "./clock.ts";
import type { BackupConfig, Config, ReportConfig, ReportWindow } from "./config.ts";
import type { DataFolder } from "./data-folder.ts";
import { openDelivery } from "./delivery/delivery.ts";
import { createFlakyLedger } from "./flaky/ledger.ts";
import { createQuarantine } from "./flaky/quarantine.ts";
import { startQuarantineWatch } from "./flaky/quarantine-watch.ts";
import { createIncidents } from "./incidents/incidents.ts";
import { createLedger } from "./incidents/ledger.ts";
import { startNews } from "./incidents/news.ts";
import { createSubscriptions } from "./incidents/subscriptions.ts";
import { deferred, Opened } from "./lifecycle.ts";
import { followBuilds } from "./metrics/follow-builds.ts";
import { keptLogBytes } from "./metrics/log-bytes.ts";
import { createMeters } from "./metrics/meters.ts";
import { createMetrics } from "./metrics/metrics.ts";
import { timedChat } from "./metrics/timed-chat.ts";
import type { BuildNumber } from "./names.ts";
import { VERSION } from "./package.ts";
import { createBuildQueue } from "./queue/build-queue.ts";
import { watchForMissing } from "./queue/missing-workers.ts";
import { type Outbox, startOutbox } from "./queue/outbox.ts";
import { readOutbox } from "./queue/outbox-rooms.ts";
import { announceProtocol } from "./queue/protocol.ts";
import { connectRedis } from "./queue/redis.ts";
import type { WorkerStatus } from "./queue/worker-status.ts";
import { listWorkers } from "./queue/workers.ts";
import { checkRecords, migrateRecords } from "./records/schema.ts";
import { createReleaseStore } from "./releases/redis-store.ts";
import { mailReportNow, type ReportSources } from "./report/mailing.ts";
import { openResults } from "./results/results.ts";
import { everyRelease } from "./retention/needed.ts";
import type { PruneScene, Pruning } from "./retention/prune.ts";
import { createRetention } from "./retention/retention.ts";
import type { Revisions } from "./revisions.ts";
import type { OverdueScene } from "./schedules/overdue.ts";
import { createSchedules } from "./schedules/schedules.ts";
import { bringingOf, bringingResults, depotOf } from "./start/delivery.ts";
import { engineAnswers, placesOf } from "./start/engine.ts";
import { openReleases, type ReleaseJobs, type ReleaseTools, takeBuckets } from "./start/releases.ts";
import { type ForgeApis, openForgeChat } from "./triggers/forge-chat.ts";
import { speaksWithForges } from "./triggers/forge-rooms.ts";
import { startPoller } from "./triggers/poller.ts";
import { statusEntries } from "./triggers/statuses.ts";
import { createTriggers } from "./triggers/triggers.ts";
import { createHookSite, type Hooks } from "./web/hooks/hooks.ts";
import { openHookInbox } from "./web/hooks/inbox.ts";
import { type Served, type ServePages, servePages } from "./web/serve.ts";
import { createWeb } from "./web/web.tsx";
import { type BuildRunner, type Engine, openWorker, type WorkerParts } from "./worker.ts";

/** How long the last results have to reach the chats before the process ends. */
const GOODBYE_MS = 3_000;

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
  /** Opens the bucket of `store:`. */
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

export interface Running {
  /** Every chat of this process, by its network. */
  readonly chats: ReadonlyMap<string, Chat>;
  /** Builds that this process accepted from a network since it started, as they are now; of very many the newest. */
  acceptedFrom(network: string): Promise<readonly Build[]>;
  /** How many commands of a network were refused or failed. */
  refusals(network: string): number;
  /** Resolves when no command of that network is being answered, every build accepted from it is over and said to be. */
  settled(network: string, signal: AbortSignal): Promise<void>;
  /**
   * Stops: no more commands and jobs; waits for the builds at work for `drainMs` at most, then leaves them to the next start.
   * Aborting `force` ends that wait. Safe to call twice.
   */
  stop(drainMs: number, force: AbortSignal): Promise<void>;
  /** Resolves with who asked when somebody said `!shutdown`. */
  readonly shutdownAsked: Promise<string>;
  /** Numbers of the builds at work here. */
  readonly active: ReadonlySet<number>;
}

/** @throws ConfigError and RuntimeError, after everything opened so far was closed again. */
export async function start(options: StartOptions): Promise<Running> {
  const opened = new Opened(options.log);
  try {
    return await open(options, opened);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function open(options: StartOptions, opened: Opened): Promise<Running> {
  const { config, log, say } = options;
  const folder = opened.add("data folder", options.folder);
  const clock = systemClock;
  const startedAt = clock.now();
  const chats = new Map<string, Chat>();
  // What is said while the rest is opened waits; a person does not see the difference.
  const hearing = hearChats();
  const meters = createMeters();
  const enter = (entering: Chat): void => {
    const chat = timedChat(entering, meters);
    opened.add(`chat ${chat.network}`, chat);
    chats.set(chat.network, chat);
    hearing.listen(chat);
  };
  options.chats.forEach(enter);

  if (options.role === "everything") await takeBuckets(config, options.tools);
  const redis = opened.add("Redis", await connectRedis(config, log));
  for (const warning of redis.warnings) say(`warning: ${warning}`);
  if (options.role === "everything") await migrateRecords(redis.commands, log);
  else await checkRecords(redis.commands);
  for (const chat of (await options.openMore?.(redis.commands)) ?? []) enter(chat);
  const store = createBuildStore(redis.commands, log, statusEntries(config, clock));
  if (options.role === "everything" && options.forgeApis !== undefined && speaksWithForges(config)) {
    const build = (number: BuildNumber) => store.get(number);
    enter(openForgeChat({ config, apis: options.forgeApis, redis: redis.commands, log, build }));
  }
  const queue = opened.add("queue", createBuildQueue(redis.open(), store, log));
  const engine = options.openEngine?.(folder.instance);
  if (engine !== undefined) opened.add("testbuilder", engine.revisions);
  const asked = createAskedHere(store, (network) => chats.has(network));
  const builds = createBuilds({
    config,
    store,
    queue,
    revisions: engine?.revisions,
    redis: redis.commands,
    clock,
    log,
    onAccepted: asked.note,
  });
  const bring = bringingOf(options, store, folder.instance);
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
  const quarantine = createQuarantine(redis.commands, clock, log);
  const flaky = createFlakyLedger(redis.commands, clock, log);
  const delivery =
    options.role === "everything" || engine === undefined
      ? undefined
      : opened.add("delivery", openDelivery({ dataDir: config.dataDir, store, depot: depotOf(options), log }));
  const workshop = { builds, store, redis, quarantine, flaky, delivery, instance: folder.instance };
  if (options.role === "everything") await announceProtocol(redis.commands);
  const ledger = createLedger(redis.commands);
  const releaseStore = createReleaseStore(redis.commands, log);
  const pruned: PruneScene = {
    config,
    store,
    redis: redis.commands,
    needs: { incidents: () => ledger.open(), releases: () => everyRelease(releaseStore) },
    engine: engine && { runtime: engine.runtime, instance: folder.instance },
    onlyEngine: options.role === "worker",
    clock,
    log,
  };
  const places = placesOf(config, engine);
  const pruning = opened.add("clearing up", options.startPruning(pruned));
  const disks = { places, clearUp: async () => void (await pruning.now()) };
  const worker =
    engine === undefined ? undefined : await openWorker({ ...options, ...workshop, disks, engine }, opened);

  const subscriptions = createSubscriptions(redis.commands, clock);
  const incidents = createIncidents({ config, ledger, subscriptions, clock });
  const schedules = createSchedules(config, redis.commands);
  const { forgeApis } = options;
  const changed = {
    config,
    builds,
    redis: redis.commands,
    revisions: engine?.revisions,
    subscriptions,
    forgeApis,
    clock,
    log,
  };
  const triggers = opened.add("triggers", createTriggers(changed));
  const sources = { config, builds, incidents: () => ledger.open() };
  const audit = createAudit(redis.commands, clock);
  const published = openReleases({
    ...changed,
    store: releaseStore,
    runtime: engine?.runtime,
    audit,
    chats,
    instance: folder.instance,
    tools: options.tools,
    bring,
    loadJobs: options.loadReleaseJobs,
  });
  const { releases, verifyRelease } = published;
  const backups = options.role === "worker" ? undefined : createBackups({ ...changed, ...options.tools });
  const asking = { redis: redis.commands, chats, url: config.url, clock, log };
  const askedBackups = backups && opened.add("backups asked for", createAskedBackups({ ...asking, backups }));
  const shutdown = deferred<string>();
  const dispatcher = createDispatcher(
    {
      config,
      builds,
      incidents,
      subscriptions,
      flaky,
      quarantine,
      schedules,
      pullRequests: triggers.pullRequests,
      results,
      retention: createRetention(pruned, places),
      releases,
      ...(verifyRelease && { verifyRelease }),
      ...(askedBackups && { backups: askedBackups }),
      chats,
      clock,
      version: VERSION,
      startedAt,
      commands: options.commands,
      workers: () => listWorkers(redis.commands),
      outbox: () => readOutbox(redis.commands, chats),
      ...(config.mail === undefined
        ? {}
        : { mailReport: (window?: ReportWindow) => mailReportNow(redis.commands, sources, clock, window) }),
      logLines,
      openLog: openKept,
      shutdown: shutdown.resolve,
    },
    redis.commands,
    log,
  );

  let outbox: Outbox | undefined;
  const pages: Served[] = [];
  const openPage = async (name: string, ...[fetch, address, key]: Parameters<ServePages>): Promise<void> => {
    pages.push(opened.add(name, await (options.servePages ?? servePages)(fetch, address, key)));
  };
  if (options.role === "everything") {
    outbox = opened.add("outbox", startOutbox(redis.commands, redis.open, chats, log, { url: config.url, clock }));
    const progress = { builds, eventChannel: store.eventChannel, url: config.url, chats, clock, log };
    opened.add("progress", await showProgress(progress, redis.open()));
    const news = { config, builds, ledger, subscriptions, revisions: engine?.revisions, clock, log, logLines };
    opened.add("news", await startNews(news, redis.open(), store.eventChannel));
    const quarantineWatch = { config, quarantine, subscriptions, clock, log };
    opened.add("quarantine watch", startQuarantineWatch(quarantineWatch));
    const timed = { config, builds, subscriptions, redis: redis.commands, clock, log };
    if (config.report !== undefined && config.mail !== undefined) {
      opened.add("report", options.startReport({ ...timed, incidents: sources.incidents, report: config.report }));
    }
    const workers = () => listWorkers(redis.commands);
    opened.add("nightlies", options.startNightlies({ ...timed, revisions: engine?.revisions, workers }));
    if (engine !== undefined) {
      opened.add("poller", startPoller({ ...changed, revisions: engine.revisions, see: triggers.see }));
    }
    await published.begin(opened);
    if (backups !== undefined && askedBackups !== undefined) {
      opened.add("backups", options.startBackups({ ...timed, backup: config.backup, backups, asked: askedBackups }));
    }
    opened.add("history", startFilling(redis.commands, store, log));
    opened.add("missing workers", watchForMissing({ config, redis: redis.commands, clock, log }));
    const liveLogs = opened.add("live logs", createLiveLogs(redis.open, log));
    const measured = { config, builds, meters, eventChannel: store.eventChannel, log };
    const logBytes = (number: number) => keptLogBytes(logs, number);
    opened.add("metrics", await followBuilds({ ...measured, logBytes }, redis.open()));
    const inbox = opened.add("webhooks", openHookInbox({ redis: redis.commands, triggers, clock, log }));
    const hooks = options.readHook && { read: options.readHook, inbox };
    if (config.hooks !== undefined && hooks !== undefined) {
      const site = createHookSite({ config, clock, log, hooks });
      await openPage("webhook listener", site.fetch, config.hooks.listen, "hooks.listen");
    }
    const web = createWeb({
      redis: redis.commands,
      ...(hooks && { hooks }),
      config,
      builds,
      clock,
      version: VERSION,
      log,
      outbox: () => readOutbox(redis.commands, chats),
      incidents: () => ledger.open(),
      workers: () => listWorkers(redis.commands),
      metrics: createMetrics(meters, {
        config,
        builds,
        clock,
        version: VERSION,
        chats,
        log,
        workers: () => listWorkers(redis.commands),
        outbox: () => readOutbox(redis.commands, chats),
        ...(engine === undefined ? {} : { engineUp: () => engineAnswers(engine) }),
      }),
      flaky,
      skipped: triggers.skipped,
      pullRequests: triggers.pullRequests,
      schedules,
      audit,
      releases,
      ...(askedBackups && { backups: askedBackups.state }),
      openLog: openKept,
      ...(bring && { bring }),
      logLines,
      followLog: (number, signal, after) => liveLogs.follow(number, signal, after),
      results,
      changes: createChanges({ config, builds, revisions: engine?.revisions, log }),
      async health() {
        await redis.commands.ping();
        return Object.fromEntries([...chats.values()].map(({ network, state }) => [network, state.kind]));
      },
    });
    await openPage("page", web.fetch, config.listen);
  }
  hearing.answerWith(dispatcher);

  let stopped: Promise<void> | undefined;

  return {
    chats,
    acceptedFrom: asked.from,
    refusals: hearing.refusals,
    shutdownAsked: shutdown.promise,
    active: worker?.active ?? new Set<number>(),
    async settled(network, signal) {
      while (!signal.aborted) {
        await hearing.quiet(network);
        if ((await asked.from(network)).every(isFinished)) break;
        await sleep(25);
      }
      await outbox?.drained(network, signal);
    },
    stop(drainMs, force) {
      stopped ??= (async () => {
        dispatcher.refuseAll("docker-ci is stopping. What is queued waits for the next start.");
        for (const page of pages) page.drain();
        await worker?.stop(drainMs, force);
        const goodbye = AbortSignal.timeout(GOODBYE_MS);
        const reachable = [...chats.values()].filter(({ state }) => state.kind === "connected");
        // Redis may be away: then what waits in the outbox goes out after the next start.
        await Promise.allSettled(reachable.map(async ({ network }) => outbox?.drained(network, goodbye)));
        await opened.close();
      })();
      return stopped;
    },
  };
}
