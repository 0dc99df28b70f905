/** Says that something did not happen which should have by itself: nobody looks for what is not there. */
import type { Room } from "../chat/message.ts";
import { line } from "../chat/reply.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { errorMail, roomsOf, roomsOfAll } from "../incidents/recipients.ts";
import type { Subscriptions } from "../incidents/subscriptions.ts";
import type { ProjectName } from "../names.ts";
import type { OutboxEntry } from "../queue/outbox-entry.ts";
import { formatAge } from "../units.ts";
import { clockPhrase } from "./when.ts";

/** What has not begun so long after its time did not happen. */
export const OVERDUE_MS = 60 * 60_000;

export interface OverdueScene {
  readonly config: Pick<Config, "mail" | "notify" | "projects" | "timezone" | "url">;
  readonly subscriptions: Subscriptions;
  readonly clock: Clock;
}

export interface Overdue {
  /** `nightly hello`, `daily report`, `backup`. */
  readonly what: string;
  /** Undefined: not of one project. */
  readonly project: ProjectName | undefined;
  readonly due: Date;
  /** A phrase: `no worker is up`. */
  readonly reason: string;
  readonly link: string;
}

/**
 * One notice for each room that hears of the project, or of everything, and for those who get mail of what could not run. Put it
 * up by the script that writes down that it was told.
 */
export async function overdueNotices(scene: OverdueScene, overdue: Overdue): Promise<OutboxEntry[]> {
  const { config, clock } = scene;
  const { what, due, reason, link } = overdue;
  const now = clock.now();
  const agoMs = now.getTime() - due.getTime();
  const facts = [
    `${what} did not happen: due ${clockPhrase(due, now, config.timezone)}, ${formatAge(agoMs)} ago`,
    reason,
  ];
  const lines = [line("errored", facts, link)];
  return (await roomsFor(scene, overdue.project)).map((room) => ({
    id: `overdue-${what.replaceAll(" ", "-")}-${due.toISOString()}`,
    at: now.toISOString(),
    about: overdue.project ?? what,
    outgoing: { room, reply: { lines }, priority: "notice" },
  }));
}

/** Who hears that something does not happen by itself: the rooms of its project, or those of everything; and mail. */
export async function roomsFor(
  { config, subscriptions }: Pick<OverdueScene, "config" | "subscriptions">,
  project: ProjectName | undefined,
): Promise<readonly Room[]> {
  const branch = project === undefined ? undefined : config.projects.get(project)?.branch;
  if (project === undefined || branch === undefined) return roomsOfAll(config);
  return [...(await roomsOf(config, subscriptions, project, branch)), ...errorMail(config.mail)];
}
