/** Shows how far a release came, where a chat can show one message changing in place. */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Chat } from "../chat/chat.ts";
import { describeError } from "../errors.ts";
import { roomsOf } from "../incidents/recipients.ts";
import type { AnnounceDeps } from "./announce.ts";
import { RELEASE_EVENTS } from "./redis-store.ts";
import { type Release, ReleaseNumber } from "./release.ts";
import type { ReleaseStore } from "./store.ts";
import { cardReply, releaseKey } from "./words.ts";

/** @param subscriber a connection of its own, in subscriber mode from now on; not closed here. */
export async function showReleases(
  deps: Omit<AnnounceDeps, "clock"> & {
    readonly store: Pick<ReleaseStore, "get">;
    readonly chats: ReadonlyMap<string, Chat>;
    readonly log: Logger;
  },
  subscriber: Redis,
): Promise<void> {
  const { config, subscriptions, store, chats, log } = deps;

  async function show(release: Release): Promise<void> {
    // What waits, and how it ends, is said; between the two it changes too often for that.
    if (release.state.kind !== "publishing") return;
    const others = await roomsOf(config, subscriptions, release.plan.project, release.plan.ref);
    const key = releaseKey(release);
    for (const room of [release.requester.room, ...others]) {
      chats.get(room.network)?.progress?.(room, key, cardReply(release, config));
    }
  }

  subscriber.on("message", (channel: string, text: string) => {
    const number = ReleaseNumber.safeParse(text);
    if (channel !== RELEASE_EVENTS || !number.success) return;
    store
      .get(number.data)
      .then((release) => (release === undefined ? undefined : show(release)))
      .catch((error: unknown) => log.debug({ reason: describeError(error) }, "progress of a release not shown"));
  });
  await subscriber.subscribe(RELEASE_EVENTS);
}
