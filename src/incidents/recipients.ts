/** Which rooms hear of a build's end: those of the configuration, of the project, of subscriptions, and the mail's recipients. */
import type { FinishedBuild } from "../builds/build.ts";
import { type Room, roomKey } from "../chat/message.ts";
import type { Config, NotifyConfig, RoomAddress } from "../config.ts";
import { type GitRef, NetworkName, type ProjectName } from "../names.ts";
import type { News } from "./incident.ts";
import type { Subscription, Subscriptions } from "./subscriptions.ts";

/** The network under which mail stands beside the chats. */
export const MAIL = NetworkName.parse("mail");

/** A room as it is written in the configuration: IRC channels begin with a sign (RFC 2812, 1.3), Slack's people with U, W or D. */
export function roomOf({ network, room }: RoomAddress): Room {
  const direct = network === MAIL || /^[UWD][A-Z0-9]{6,}$/.test(room);
  return { network, kind: direct ? "direct" : "channel", name: room };
}

/**
 * Whether somebody who wants `events` hears this news. `failed` and `passed` are every failure and every pass, the edges among
 * them; `every` is all there is.
 */
function wants(events: readonly string[], news: News, build: FinishedBuild): boolean {
  if (events.includes("every") || events.includes(news.event)) return true;
  const { kind } = build.state;
  return (kind === "failed" && events.includes("failed")) || (kind === "passed" && events.includes("passed"));
}

function covers({ project, branch, events }: Subscription, build: FinishedBuild, news: News): boolean {
  if (project !== undefined && project !== build.project) return false;
  if (branch !== undefined && branch !== build.revision?.ref) return false;
  return wants(events, news, build);
}

type RecipientsConfig = Pick<Config, "notify" | "mail" | "projects">;

/** The rooms for a notice, each once, without those that asked for quiet. */
export async function recipients(
  config: RecipientsConfig,
  subscriptions: Subscriptions,
  build: FinishedBuild,
  news: News,
): Promise<Room[]> {
  const snoozed = news.event !== "fixed" && (await subscriptions.snoozedUntil(build.project)) !== undefined;
  if (snoozed) return [];
  const wanted = (list: { readonly on: readonly string[] } | undefined): boolean =>
    list !== undefined && wants(list.on, news, build);
  const rooms = configuredRooms(config, build.project, wanted);
  if (config.mail !== undefined && wanted(config.mail)) {
    rooms.push(...config.mail.to.map((address) => roomOf({ network: MAIL, room: address })));
  }
  for (const subscription of await subscriptions.all()) {
    if (covers(subscription, build, news)) rooms.push(subscription.room);
  }
  return onceAndAwake(rooms, subscriptions);
}

/** The chat rooms that hear of a branch at all, whatever of it. */
export async function roomsOf(
  config: RecipientsConfig,
  subscriptions: Subscriptions,
  project: ProjectName,
  branch: GitRef,
): Promise<Room[]> {
  const rooms = configuredRooms(config, project, (list) => list !== undefined);
  for (const subscription of await subscriptions.all()) {
    const there = subscription.project === undefined || subscription.project === project;
    if (there && (subscription.branch === undefined || subscription.branch === branch)) rooms.push(subscription.room);
  }
  return onceAndAwake(rooms, subscriptions);
}

/** Who hears of what concerns no project: the rooms of the whole configuration, and mail that takes what could not run. */
export function roomsOfAll({ notify, mail }: Pick<Config, "notify" | "mail">): Room[] {
  return [...(notify?.rooms ?? []).map(roomOf), ...errorMail(mail)];
}

/** Whoever gets mail of what could not run. */
export function errorMail(mail: Config["mail"]): Room[] {
  if (mail === undefined || !mail.on.some((event) => event === "errored" || event === "every")) return [];
  return mail.to.map((address) => roomOf({ network: MAIL, room: address }));
}

function configuredRooms(
  { notify, projects }: RecipientsConfig,
  project: ProjectName,
  wanted: (list: NotifyConfig | undefined) => boolean,
): Room[] {
  return [notify, projects.get(project)?.notify].flatMap((list) =>
    wanted(list) ? (list?.rooms ?? []).map(roomOf) : [],
  );
}

async function onceAndAwake(rooms: readonly Room[], subscriptions: Subscriptions): Promise<Room[]> {
  const once = [...new Map(rooms.map((room) => [roomKey(room), room])).values()];
  const muted = await Promise.all(once.map((room) => subscriptions.mutedUntil(room)));
  return once.filter((_, index) => muted[index] === undefined);
}
