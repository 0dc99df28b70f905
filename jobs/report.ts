/**
 * The job that mails the daily report when it is due, once for each time it is due, whoever runs and restarts meanwhile.
 *
 * What was due last is kept in Redis and moved on by the script that puts the mails up, so neither can happen without the other.
 * That is why this is no BullMQ job: one that dies after the mails and before its end would mail again. What came due while
 * nobody ran is made up for: of several missed ones the newest, as the others say nothing that it does not.
 */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { ReportConfig } from "../src/config.ts";
import { describeError } from "../src/errors.ts";
import { MAIL } from "../src/incidents/recipients.ts";
import type { OutboxEntry } from "../src/queue/outbox-entry.ts";
import { type ReportSources, reportEntries } from "../src/report/mailing.ts";
import { deliveryOf } from "../src/report/undelivered.ts";
import { checkSchedule } from "../src/schedules/due.ts";
import { dueNow, moveOn, type Remembered, readLastDue } from "../src/schedules/last-due.ts";
import { lookAgainAndAgain } from "../src/schedules/look.ts";
import { OVERDUE_MS, type OverdueScene, overdueNotices } from "../src/schedules/overdue.ts";

const LAST = "docker-ci:report:last";

export interface ReportJob extends OverdueScene, Omit<ReportSources, "config"> {
  readonly redis: Redis;
  readonly report: ReportConfig;
  readonly log: Logger;
}

/**
 * Puts the report up if it is due. @returns the time it was due at, or undefined when there was nothing to do.
 * @throws RuntimeError and what Redis throws; then it is still due, and after an hour that is told.
 */
export async function reportIfDue(job: ReportJob): Promise<Date | undefined> {
  const { redis, report, clock, config, log } = job;
  const pattern = { at: report.at, timezone: config.timezone };
  const now = clock.now();
  const before = await readLastDue(redis, LAST);
  const due = dueNow(before, pattern, now);
  if (due === undefined) {
    await watchLast(job, before);
    return undefined;
  }
  if (due === "anew") {
    await moveOn(redis, LAST, before, { ...pattern, due: now.toISOString() });
    return undefined;
  }
  try {
    const entries = await reportEntries(job, due, report.window);
    if (!(await moveOn(redis, LAST, before, { ...pattern, due: due.toISOString(), watched: true }, entries)))
      return undefined;
    log.info({ due: due.toISOString(), recipients: entries.length }, "daily report put up");
    return due;
  } catch (error) {
    const isLate = now.getTime() - due.getTime() >= OVERDUE_MS && before.last?.alerted !== due.toISOString();
    if (isLate && before.last !== undefined) {
      const told = { ...before.last, alerted: due.toISOString() };
      const notices = await noticesOf(job, due, describeError(error), `${config.url}/schedule`);
      await moveOn(redis, LAST, before, told, notices);
    }
    throw error;
  }
}

/** Whether the last one has reached its readers; where it has not for an hour, that is told once, and not by mail. */
async function watchLast(job: ReportJob, before: Remembered): Promise<void> {
  const { redis, clock, config } = job;
  const { last } = before;
  if (last?.watched !== true) return;
  const due = new Date(last.due);
  const delivery = await deliveryOf(redis, config.mail?.to ?? [], due);
  const settled = { ...last, watched: false };
  if (delivery.kind === "delivered") await moveOn(redis, LAST, before, settled);
  if (delivery.kind !== "stuck") return;
  // One that was made up for late has its hour, too.
  const lateSince = Math.max(due.getTime(), delivery.since.getTime());
  if (clock.now().getTime() - lateSince < OVERDUE_MS) return;
  const notices = await noticesOf(job, due, delivery.reason, `${config.url}/outbox`);
  const others = notices.filter(({ outgoing }) => outgoing.room.network !== MAIL);
  await moveOn(redis, LAST, before, { ...settled, alerted: last.due }, others);
}

function noticesOf(job: ReportJob, due: Date, reason: string, link: string): Promise<OutboxEntry[]> {
  job.log.error({ due: due.toISOString(), reason }, "the daily report did not happen");
  return overdueNotices(job, { what: "daily report", project: undefined, due, reason, link });
}

/** Looks again and again until disposed of. @throws ConfigError for a schedule that never comes. */
export function startReportSchedule(job: ReportJob, lookMs?: number): AsyncDisposable {
  checkSchedule("report.at", job.report.at, job.config.timezone, job.clock.now());
  const look = async (): Promise<void> => {
    await reportIfDue(job).catch((error: unknown) =>
      job.log.warn({ reason: describeError(error) }, "could not make the daily report yet"),
    );
  };
  return lookAgainAndAgain(look, lookMs);
}
