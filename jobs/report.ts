/**
 * The job that mails the daily report when it is due, once for each time it is due, whoever runs and restarts meanwhile.
 *
 * What was due last is kept in Redis and moved on by the script that puts the mails up, so neither can happen without the other.
 * That is why this is no BullMQ job: one that dies after the mails and before its end would mail again. What came due while
 * nobody ran is made up for: of several missed ones the newest, as the others say nothing that it does not.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { z } from "zod";
import type { Clock } from "../src/clock.ts";
import type { ReportConfig } from "../src/config.ts";
import { describeError } from "../src/errors.ts";
import { OUTBOX_ROOMS, type OutboxEntry } from "../src/queue/outbox-entry.ts";
import { pushArguments, pushLua } from "../src/queue/push.ts";
import { newestDue, nextDue } from "../src/schedules/due.ts";
import { type ReportSources, reportEntries } from "../src/report/mailing.ts";

const LAST = "docker-ci:report:last";
const LOOK_MS = 20_000;
/** A moment this far ahead was written while the clock was wrong, and would keep the report away until then. */
const AHEAD_MS = 86_400_000;

/** With the schedule it was due by: a changed one begins anew. */
const Last = z.strictObject({ at: z.string(), timezone: z.string(), due: z.iso.datetime() });
type Last = z.infer<typeof Last>;

/**
 * KEYS: what was due last, rooms with an outbox.
 * ARGV: what was due last as it was read ("" for nothing), what is now, `pushArguments`.
 * Returns 1, or 0 when somebody else was quicker.
 */
const MOVE_ON = `
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
${pushLua({ rooms: 2, first: 3 })}return 1
`;

export interface ReportJob extends ReportSources {
  readonly redis: Redis;
  readonly report: ReportConfig;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Puts the report up if it is due. @returns the time it was due at, or undefined when there was nothing to do.
 * @throws RuntimeError and what Redis throws; then it is still due.
 */
export async function reportIfDue(job: ReportJob): Promise<Date | undefined> {
  const { redis, report, clock, config, log } = job;
  const { timezone } = config;
  const now = clock.now();
  const read = (await redis.get(LAST)) ?? "";
  const last = known(read);
  const moveOn = async (due: Date, entries: readonly OutboxEntry[]): Promise<boolean> => {
    const next: Last = { at: report.at, timezone, due: due.toISOString() };
    const args = [read, JSON.stringify(next), ...pushArguments(entries)];
    return (await redis.eval(MOVE_ON, 2, LAST, OUTBOX_ROOMS, ...args)) === 1;
  };

  const same = last?.at === report.at && last.timezone === timezone;
  if (last === undefined || !same || Date.parse(last.due) > now.getTime() + AHEAD_MS) {
    await moveOn(now, []);
    return undefined;
  }
  const due = newestDue(report.at, timezone, new Date(last.due), now);
  if (due === undefined) return undefined;
  const entries = await reportEntries(job, due);
  if (!(await moveOn(due, entries))) return undefined;
  log.info({ due: due.toISOString(), recipients: entries.length }, "daily report put up");
  return due;
}

/** Looks again and again until disposed of. @throws ConfigError for a schedule that never comes. */
export function startReportSchedule(job: ReportJob, lookMs = LOOK_MS): AsyncDisposable {
  nextDue(job.report.at, job.config.timezone, job.clock.now());
  let looking: Promise<unknown> | undefined;
  const look = (): void => {
    looking ??= reportIfDue(job)
      .catch((error: unknown) => job.log.warn({ reason: describeError(error) }, "could not make the daily report yet"))
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

function known(json: string): Last | undefined {
  try {
    return Last.safeParse(JSON.parse(json)).data;
  } catch {
    // Nothing was due so far, or nobody can tell: it begins anew.
    return undefined;
  }
}
