/** The daily report, put up for everybody in `mail.to`. */
import type { Redis } from "ioredis";
import type { Build } from "../builds/build.ts";
import type { Builds } from "../builds/builds.ts";
import type { Room } from "../chat/message.ts";
import type { Clock } from "../clock.ts";
import type { Config, ReportWindow } from "../config.ts";
import { MAIL, roomOf } from "../incidents/recipients.ts";
import type { OutboxEntry } from "../queue/outbox-entry.ts";
import { pushOutbox } from "../queue/push.ts";
import { renderReport } from "./render.ts";
import { buildReport, REPORT_REACH_MS, type ReportIncident } from "./report.ts";

const FIRST_PAGE = 256;

export interface ReportSources {
  readonly config: Pick<Config, "mail" | "projects" | "timezone" | "url">;
  readonly builds: Pick<Builds, "latest">;
  /** The open incidents. */
  incidents(): Promise<readonly ReportIncident[]>;
}

/** Names the report of that moment in the outbox. */
export function reportId(at: Date): string {
  return `report-${at.toISOString()}`;
}

export function mailRoom(address: string): Room {
  return roomOf({ network: MAIL, room: address });
}

/**
 * One entry for each recipient, in their order.
 * @param at the moment that the report is of. @param window its week; default: rolling.
 */
export async function reportEntries(
  { config, builds, incidents }: ReportSources,
  at: Date,
  window?: ReportWindow,
): Promise<OutboxEntry[]> {
  const since = new Date(at.getTime() - REPORT_REACH_MS);
  const [found, open] = await Promise.all([readBuilds(builds, since), incidents()]);
  const { timezone, url } = config;
  const report = buildReport(found, { at, timezone, window, projects: [...config.projects.keys()], incidents: open });
  const reply = renderReport(report, url);
  return (config.mail?.to ?? []).map((address) => ({
    id: reportId(at),
    at: at.toISOString(),
    outgoing: { room: mailRoom(address), reply, priority: "notice" },
  }));
}

/**
 * Mails the report of this moment, whatever the schedule says.
 * @returns to whom. @throws RuntimeError when Redis does not take it.
 */
export async function mailReportNow(
  redis: Redis,
  sources: ReportSources,
  clock: Clock,
  window?: ReportWindow,
): Promise<readonly string[]> {
  const entries = await reportEntries(sources, clock.now(), window);
  await pushOutbox(redis, entries);
  return entries.map(({ outgoing }) => outgoing.room.name);
}

/** All builds asked for since then, and some older ones. */
async function readBuilds(builds: ReportSources["builds"], since: Date): Promise<readonly Build[]> {
  for (let limit = FIRST_PAGE; ; limit *= 4) {
    const found = await builds.latest(limit);
    const oldest = found.at(-1);
    if (found.length < limit || oldest === undefined || Date.parse(oldest.requestedAt) < since.getTime()) return found;
  }
}
