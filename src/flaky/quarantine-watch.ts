/**
 * Says aloud that a quarantine ends: a day before, and when it has. What became due while nobody ran is told at the next start, and
 * each thing once, since what was told is written down by the script that puts it up.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { roomKey } from "../chat/message.ts";
import { type Line, line } from "../chat/reply.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { describeError } from "../errors.ts";
import { roomsOf } from "../incidents/recipients.ts";
import type { Subscriptions } from "../incidents/subscriptions.ts";
import type { OutboxEntry } from "../queue/outbox-entry.ts";
import { formatAge } from "../units.ts";
import type { Quarantine, Quarantined } from "./quarantine.ts";
import { shownTest } from "./shown-test.ts";

const LOOK_MS = 20_000;
const DAY_MS = 86_400_000;

export interface QuarantineWatch {
  readonly config: Config;
  readonly quarantine: Quarantine;
  readonly subscriptions: Subscriptions;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Looks again and again until disposed of. */
export function startQuarantineWatch(watch: QuarantineWatch, lookMs = LOOK_MS): AsyncDisposable {
  let looking: Promise<unknown> | undefined;
  const look = (): void => {
    looking ??= tellQuarantines(watch)
      .catch((error: unknown) =>
        watch.log.warn({ reason: describeError(error) }, "could not look at the quarantine yet"),
      )
      .finally(() => {
        looking = undefined;
      });
  };
  const timer = setInterval(look, lookMs);
  timer.unref();
  look();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await Promise.race([looking, sleep(1_000, undefined, { ref: false })]);
    },
  };
}

/** Tells what is due now. @returns how many quarantines were told of. @throws what Redis throws; then it is still due. */
export async function tellQuarantines(watch: QuarantineWatch): Promise<number> {
  const { quarantine, clock, log } = watch;
  const now = clock.now();
  let told = 0;
  for (const remembered of await quarantine.all()) {
    const { entry } = remembered;
    const due = dueOf(entry, now);
    if (due === undefined) continue;
    const next = due === "ended" ? undefined : { ...entry, warned: true };
    if (!(await quarantine.settle(remembered, next, await noticesOf(watch, entry, due, now)))) continue;
    log.info({ project: entry.project, test: entry.test, owner: entry.owner, due }, "quarantine told of");
    told += 1;
  }
  return told;
}

type Due = "ended" | "ends soon";

/** One of less than two days is not announced to end on the day it began. */
function dueOf({ since, until, warned }: Quarantined, now: Date): Due | undefined {
  const endsAt = Date.parse(until);
  if (endsAt <= now.getTime()) return "ended";
  const isSoon = endsAt - DAY_MS <= now.getTime();
  return isSoon && !warned && endsAt - Date.parse(since) >= 2 * DAY_MS ? "ends soon" : undefined;
}

/** For the project's rooms, and the one where it was asked for. */
async function noticesOf(
  { config, subscriptions }: QuarantineWatch,
  entry: Quarantined,
  due: Due,
  now: Date,
): Promise<OutboxEntry[]> {
  const { project, room } = entry;
  const branch = config.projects.get(project)?.branch;
  const rooms = branch === undefined ? [] : await roomsOf(config, subscriptions, project, branch);
  const asked = rooms.some((other) => roomKey(other) === roomKey(room));
  if (!asked && (await subscriptions.mutedUntil(room)) === undefined) rooms.push(room);
  const shown = due === "ended" ? endedLine(entry, config) : endingLine(entry, config, now);
  return rooms.map((to) => ({
    id: `quarantine-${project}-${shownTest(entry.test)}-${entry.until}-${due === "ended" ? "ended" : "warned"}`,
    at: now.toISOString(),
    about: project,
    outgoing: { room: to, reply: { lines: [shown] }, priority: "notice" },
  }));
}

type Scene = Pick<Config, "prefix" | "url">;

function endedLine({ project, test, owner }: Quarantined, { prefix, url }: Scene): Line {
  return line(
    "info",
    [
      `the quarantine of ${shownTest(test)} in ${project} has ended: its failure fails builds again`,
      `owner ${owner}`,
      `${prefix}flaky ${project}`,
    ],
    `${url}/projects/${project}`,
  );
}

function endingLine({ project, test, owner, until }: Quarantined, { prefix, url }: Scene, now: Date): Line {
  return line(
    "info",
    [
      `the quarantine of ${shownTest(test)} in ${project} ends in ${formatAge(Date.parse(until) - now.getTime())}`,
      `owner ${owner}`,
      `${prefix}quarantine ${project} keeps the list`,
    ],
    `${url}/projects/${project}`,
  );
}
