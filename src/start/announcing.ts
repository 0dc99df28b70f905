/** What docker-ci says by itself: what builds came to, what broke and was mended, what is under way. */
import { showProgress } from "../builds/progress.ts";
import type { Chat } from "../chat/chat.ts";
import { startQuarantineWatch } from "../flaky/quarantine-watch.ts";
import { startNews } from "../incidents/news.ts";
import type { Opened } from "../lifecycle.ts";
import { type Outbox, startOutbox } from "../queue/outbox.ts";
import type { OpenedRecords } from "./records.ts";

export async function startAnnouncing(
  records: OpenedRecords,
  chats: ReadonlyMap<string, Chat>,
  opened: Opened,
): Promise<Outbox> {
  const { config, connections, redis, store, clock, log } = records;
  const { url } = config;
  const outbox = opened.add("outbox", startOutbox(redis, connections.open, chats, log, { url, clock }));
  const progress = { ...records, eventChannel: store.eventChannel, url, chats };
  opened.add("progress", await showProgress(progress, connections.open()));
  opened.add("news", await startNews(records, connections.open(), store.eventChannel));
  opened.add("quarantine watch", startQuarantineWatch(records));
  return outbox;
}
