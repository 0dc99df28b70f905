/** What commands and pages are answered with, besides the records: triggers, releases, backups. */
import { createAskedBackups } from "../backup/asked.ts";
import { createBackups } from "../backup/backups.ts";
import type { Chat } from "../chat/chat.ts";
import type { Opened } from "../lifecycle.ts";
import { createTriggers } from "../triggers/triggers.ts";
import type { StartOptions } from "./options.ts";
import type { OpenedRecords } from "./records.ts";
import { openReleases } from "./releases.ts";

export type Services = ReturnType<typeof openServices>;

/** @param opened closes what is opened here: triggers, and the backups that people asked for. */
export function openServices(
  options: StartOptions,
  records: OpenedRecords,
  chats: ReadonlyMap<string, Chat>,
  opened: Opened,
) {
  const { config, log, tools, forgeApis } = options;
  const { builds, redis, revisions, subscriptions, clock, audit, instance, bring, engine, releaseStore } = records;
  const changed = { config, builds, redis, revisions, subscriptions, forgeApis, clock, log };
  const triggers = opened.add("triggers", createTriggers(changed));
  const releases = openReleases({
    ...changed,
    store: releaseStore,
    runtime: engine?.runtime,
    audit,
    chats,
    instance,
    tools,
    bring,
    loadJobs: options.loadReleaseJobs,
  });
  if (options.role === "worker") return { triggers, releases, backups: undefined };
  const backups = createBackups({ ...changed, ...tools });
  const asking = { redis, chats, url: config.url, clock, log, backups };
  const asked = opened.add("backups asked for", createAskedBackups(asking));
  return { triggers, releases, backups: { backups, asked } };
}
