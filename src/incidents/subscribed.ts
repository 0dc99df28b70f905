/** What a room hears by itself, in words: by the configuration, by its subscriptions, and how long it is muted. */

import { type Room, roomKey } from "../chat/message.ts";
import { quoted } from "../chat/quoted.ts";
import type { Clock } from "../clock.ts";
import type { Config, NotifyConfig } from "../config.ts";
import { UserError } from "../errors.ts";
import { clockPhrase } from "../schedules/when.ts";
import { roomOf } from "./recipients.ts";
import { SubscribedEvent, type Subscription, type Subscriptions } from "./subscriptions.ts";

/** What Buildbot's bot called them (O-76), for fingers that are used to it. */
const BUILDBOT_EVENTS: ReadonlyMap<string, SubscribedEvent> = new Map([
  ["successtofailure", "broken"],
  ["failuretosuccess", "fixed"],
  ["exception", "errored"],
  ["finished", "every"],
]);

/** Undefined for a word that names none. */
function eventNamed(word: string): SubscribedEvent | undefined {
  const name = word.toLowerCase();
  return SubscribedEvent.safeParse(name).data ?? BUILDBOT_EVENTS.get(name);
}

/** `broken,fixed`, each once. @throws UserError for what is no event. */
export function readEvents(text: string): SubscribedEvent[] {
  const words = text.split(/[\s,]+/).filter(Boolean);
  const events = words.map((word) => {
    const event = eventNamed(word);
    if (event !== undefined) return event;
    throw new UserError(`${quoted(word)} is no event. There are ${SubscribedEvent.options.join(", ")}.`);
  });
  if (events.length === 0) throw new UserError(`that names no event. There are ${SubscribedEvent.options.join(", ")}.`);
  return [...new Set(events)];
}

/** `every project: broken, fixed`, `docker main: every` */
export function hearsWords({ project, branch, events }: Omit<Subscription, "room">): string {
  return `${project ?? "every project"}${branch === undefined ? "" : ` ${branch}`}: ${events.join(", ")}`;
}

/** A phrase for each thing that the room hears of, or one that it hears of nothing. */
export async function whatIsHeard(
  room: Room,
  {
    config,
    subscriptions,
    clock,
  }: {
    readonly config: Pick<Config, "notify" | "projects" | "timezone" | "prefix">;
    readonly subscriptions: Subscriptions;
    readonly clock: Clock;
  },
): Promise<string[]> {
  const isHere = (other: Room): boolean => roomKey(other) === roomKey(room);
  const [all, mutedUntil] = await Promise.all([subscriptions.all(), subscriptions.mutedUntil(room)]);
  const own = all
    .filter((subscription) => isHere(subscription.room))
    .map(hearsWords)
    .toSorted();
  const set = configured(config, isHere);
  if (own.length + set.length === 0)
    return ["this room hears of nothing by itself", `${config.prefix}notify on ends that`];
  const muted =
    mutedUntil === undefined ? [] : [`muted until ${clockPhrase(mutedUntil, clock.now(), config.timezone)}`];
  return [`this room hears of ${[...own, ...set][0]}`, ...[...own, ...set].slice(1), ...muted];
}

/** What the configuration says to a room, and nobody in it can end. */
export function configured(
  { notify, projects }: Pick<Config, "notify" | "projects">,
  isHere: (room: Room) => boolean,
): string[] {
  const says = (list: NotifyConfig | undefined): boolean => list?.rooms.map(roomOf).some(isHere) === true;
  const lists = [
    { of: "every project", list: notify },
    ...[...projects.values()].map(({ name, notify: list }) => ({ of: name, list })),
  ];
  return lists.flatMap(({ of, list }) =>
    list !== undefined && says(list) ? [`${of}: ${list.on.join(", ")} (by the configuration)`] : [],
  );
}
