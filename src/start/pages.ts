/** The page and its webhooks, on the addresses that the configuration names. */
import { createChanges } from "../builds/changes.ts";
import { createLiveLogs } from "../builds/live-log.ts";
import type { Chat } from "../chat/chat.ts";
import type { Opened } from "../lifecycle.ts";
import { followBuilds } from "../metrics/follow-builds.ts";
import { keptLogBytes } from "../metrics/log-bytes.ts";
import type { Meters } from "../metrics/meters.ts";
import { createMetrics } from "../metrics/metrics.ts";
import { VERSION } from "../package.ts";
import { readOutbox } from "../queue/outbox-rooms.ts";
import { createHookSite } from "../web/hooks/hooks.ts";
import { openHookInbox } from "../web/hooks/inbox.ts";
import { type Served, type ServePages, servePages } from "../web/serve.ts";
import { createWeb } from "../web/web.tsx";
import { engineAnswers } from "./engine.ts";
import type { StartOptions } from "./options.ts";
import type { OpenedRecords } from "./records.ts";
import type { Services } from "./services.ts";

export async function openPages(
  options: StartOptions,
  records: OpenedRecords,
  { triggers, releases, backups }: Services,
  { chats, meters }: { readonly chats: ReadonlyMap<string, Chat>; readonly meters: Meters },
  opened: Opened,
): Promise<readonly Served[]> {
  const { config, builds, store, redis, connections, clock, log, engine, logs, ledger, workers } = records;
  const pages: Served[] = [];
  const openPage = async (name: string, ...[fetch, address, key]: Parameters<ServePages>): Promise<void> => {
    pages.push(opened.add(name, await (options.servePages ?? servePages)(fetch, address, key)));
  };
  const outbox = () => readOutbox(redis, chats);
  const liveLogs = opened.add("live logs", createLiveLogs(connections.open, log));
  const measured = { config, builds, meters, eventChannel: store.eventChannel, log };
  const logBytes = (number: number) => keptLogBytes(logs, number);
  opened.add("metrics", await followBuilds({ ...measured, logBytes }, connections.open()));
  const inbox = opened.add("webhooks", openHookInbox({ redis, triggers, clock, log }));
  const hooks = options.readHook && { read: options.readHook, inbox };
  if (config.hooks !== undefined && hooks !== undefined) {
    const site = createHookSite({ config, clock, log, hooks });
    await openPage("webhook listener", site.fetch, config.hooks.listen, "hooks.listen");
  }
  const metrics = createMetrics(meters, {
    config,
    builds,
    clock,
    version: VERSION,
    chats,
    log,
    workers,
    outbox,
    ...(engine === undefined ? {} : { engineUp: () => engineAnswers(engine) }),
  });
  const { bring, ...kept } = records;
  const web = createWeb({
    ...kept,
    ...(hooks && { hooks }),
    ...(bring && { bring }),
    ...(backups && { backups: backups.asked.state }),
    version: VERSION,
    outbox,
    incidents: () => ledger.open(),
    metrics,
    skipped: triggers.skipped,
    pullRequests: triggers.pullRequests,
    releases: releases.releases,
    followLog: (number, signal, after) => liveLogs.follow(number, signal, after),
    changes: createChanges(records),
    async health() {
      await redis.ping();
      return Object.fromEntries([...chats.values()].map(({ network, state }) => [network, state.kind]));
    },
  });
  await openPage("page", web.fetch, config.listen);
  return pages;
}
