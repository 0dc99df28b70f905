/** Who hears of a release: the room where it was asked for, and those that hear of the project. */
import { type Room, roomKey } from "../chat/message.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { roomsOf } from "../incidents/recipients.ts";
import type { Subscriptions } from "../incidents/subscriptions.ts";
import { TRIGGER_NETWORK, WEB_NETWORK } from "../names.ts";
import type { OutboxEntry } from "../queue/outbox-entry.ts";
import { isOver, type Release, releaseName } from "./release.ts";
import { cardReply, newsLines, planReply, releaseKey } from "./words.ts";

export interface AnnounceDeps {
  readonly config: Config;
  readonly subscriptions: Subscriptions;
  readonly clock: Clock;
}

/**
 * What is said of a release as it is now. In Slack one message is edited; elsewhere it is a line.
 * @param next as it will be written. @param said where an answer says it, so that a line would say it twice.
 */
export async function releaseEntries(
  { config, subscriptions, clock }: AnnounceDeps,
  next: Omit<Release, "change">,
  said?: Room,
): Promise<OutboxEntry[]> {
  const release: Release = { ...next, change: 0 };
  const { requester, state } = release;
  const isNew = state.kind === "waiting" && release.votes.length === 0;
  const asking = isSaidTo(requester.room) ? [requester.room] : [];
  const others = await roomsOf(config, subscriptions, release.plan.project, release.plan.ref);
  const rooms = new Map([...others, ...asking].map((room) => [roomKey(room), room]));
  return [...rooms.values()].flatMap((room): OutboxEntry[] => {
    const edits = config.slack.some(({ name }) => name === room.network);
    const answered = said !== undefined && roomKey(said) === roomKey(room);
    // The answer to who asked is the very message that is edited later.
    if (answered && (isNew || !edits)) return [];
    const here = roomKey(room) === roomKey(requester.room);
    const reply = edits
      ? cardReply(release, config)
      : isNew
        ? planReply(release, config)
        : { lines: newsLines(release, config), key: releaseKey(release) };
    return [
      {
        id: `${releaseKey(release)}-${state.kind}-${release.votes.length}`,
        at: clock.now().toISOString(),
        about: releaseName(release),
        outgoing: {
          room,
          reply,
          priority: here ? "answer" : "notice",
          ...(here && isOver(release) ? addressed(release) : {}),
          ...(here && requester.thread !== undefined ? { thread: requester.thread } : {}),
        },
      },
    ];
  });
}

/** Whoever asked hears the end of it by name. */
function addressed({ requester }: Release) {
  return {
    to: requester.displayName,
    ...(requester.account === undefined ? {} : { toAccount: requester.account }),
  };
}

/** On the page nobody waits for an answer, and what asks by itself is in no room. */
function isSaidTo({ network }: Room): boolean {
  return network !== WEB_NETWORK && network !== TRIGGER_NETWORK;
}
