/**
 * The running docker-ci: bot, page and worker in one process, opened in order and closed in the reverse one. The adapters come
 * from main.ts, so that this reads without knowing any of them.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Build, isFinished } from "./builds/build.ts";
import { createBuildStore } from "./builds/store.ts";
import type { Chat } from "./chat/chat.ts";
import { createDispatcher, type Dispatcher } from "./chat/dispatch.ts";
import { hearChats } from "./chat/hear.ts";
import { systemClock } from "./clock.ts";
import type { ReportWindow } from "./config.ts";
import { deferred, Opened } from "./lifecycle.ts";
import { createMeters } from "./metrics/meters.ts";
import { timedChat } from "./metrics/timed-chat.ts";
import type { BuildNumber } from "./names.ts";
import { VERSION } from "./package.ts";
import type { Outbox } from "./queue/outbox.ts";
import { readOutbox } from "./queue/outbox-rooms.ts";
import { connectRedis, type RedisConnections } from "./queue/redis.ts";
import { checkRecords, migrateRecords } from "./records/schema.ts";
import { mailReportNow } from "./report/mailing.ts";
import type { RetentionService } from "./retention/retention.ts";
import { startAnnouncing } from "./start/announcing.ts";
import { startClockwork } from "./start/clockwork.ts";
import type { StartOptions } from "./start/options.ts";
import { openPages } from "./start/pages.ts";
import { type OpenedRecords, openRecords } from "./start/records.ts";
import { takeBuckets } from "./start/releases.ts";
import { openServices, type Services } from "./start/services.ts";
import { openWorkshop } from "./start/workshop.ts";
import { openForgeChat } from "./triggers/forge-chat.ts";
import { speaksWithForges } from "./triggers/forge-rooms.ts";
import { statusEntries } from "./triggers/statuses.ts";
import type { Served } from "./web/serve.ts";

/** How long the last results have to reach the chats before the process ends. */
const GOODBYE_MS = 3_000;

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
  const { config, log } = options;
  const isBot = options.role === "everything";
  const startedAt = systemClock.now();
  const { instance } = opened.add("data folder", options.folder);

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

  if (isBot) await takeBuckets(config, options.tools);
  const connections = await openRedis(options, opened);
  const redis = connections.commands;
  for (const chat of (await options.openMore?.(redis)) ?? []) enter(chat);
  const store = createBuildStore(redis, log, statusEntries(config, systemClock));
  if (isBot && options.forgeApis !== undefined && speaksWithForges(config)) {
    const build = (number: BuildNumber) => store.get(number);
    enter(openForgeChat({ config, apis: options.forgeApis, redis, log, build }));
  }

  const isChat = (network: string): boolean => chats.has(network);
  const records = openRecords(options, { connections, store, instance, isChat }, opened);
  const workshop = await openWorkshop(options, records, opened);
  const services = openServices(options, records, chats, opened);
  const shutdown = deferred<string>();
  const about = { chats, startedAt, retention: workshop.retention, shutdown: shutdown.resolve };
  const dispatcher = openDispatcher(options, records, services, about);

  let outbox: Outbox | undefined;
  let pages: readonly Served[] = [];
  if (isBot) {
    outbox = await startAnnouncing(records, chats, opened);
    await startClockwork(options, records, services, opened);
    pages = await openPages(options, records, services, { chats, meters }, opened);
  }
  hearing.answerWith(dispatcher);

  let stopped: Promise<void> | undefined;

  return {
    chats,
    acceptedFrom: records.asked.from,
    refusals: hearing.refusals,
    shutdownAsked: shutdown.promise,
    active: workshop.worker?.active ?? new Set<number>(),
    async settled(network, signal) {
      while (!signal.aborted) {
        await hearing.quiet(network);
        if ((await records.asked.from(network)).every(isFinished)) break;
        await sleep(25);
      }
      await outbox?.drained(network, signal);
    },
    stop(drainMs, force) {
      stopped ??= (async () => {
        dispatcher.refuseAll("docker-ci is stopping. What is queued waits for the next start.");
        for (const page of pages) page.drain();
        await workshop.worker?.stop(drainMs, force);
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

/** Connected, with records that this version reads. */
async function openRedis({ config, log, role, say }: StartOptions, opened: Opened): Promise<RedisConnections> {
  const connections = opened.add("Redis", await connectRedis(config, log));
  for (const warning of connections.warnings) say(`warning: ${warning}`);
  if (role === "everything") await migrateRecords(connections.commands, log);
  else await checkRecords(connections.commands);
  return connections;
}

/** Whatever commands are answered with. */
function openDispatcher(
  { config, commands, log }: StartOptions,
  records: OpenedRecords,
  { triggers, releases, backups }: Services,
  about: {
    readonly chats: ReadonlyMap<string, Chat>;
    readonly startedAt: Date;
    readonly retention: RetentionService;
    shutdown(by: string): void;
  },
): Dispatcher {
  const { redis, builds, ledger, clock } = records;
  const sources = { config, builds, incidents: () => ledger.open() };
  const mailReport = (window?: ReportWindow) => mailReportNow(redis, sources, clock, window);
  return createDispatcher(
    {
      ...records,
      ...about,
      commands,
      version: VERSION,
      pullRequests: triggers.pullRequests,
      releases: releases.releases,
      ...(releases.verifyRelease && { verifyRelease: releases.verifyRelease }),
      ...(backups && { backups: backups.asked }),
      outbox: () => readOutbox(redis, about.chats),
      ...(config.mail && { mailReport }),
    },
    redis,
    log,
  );
}
