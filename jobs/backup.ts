/**
 * The job that makes the backup when it is due, once for each time, whoever runs and restarts meanwhile; and that goes on with what
 * could not be done of the newest: a bucket that was away, a proof that a kill cut short.
 */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { readTrouble } from "../src/backup/alarm.ts";
import type { AskedBackups } from "../src/backup/asked.ts";
import type { Backups } from "../src/backup/backups.ts";
import type { BackupConfig } from "../src/config.ts";
import { describeError, UserError } from "../src/errors.ts";
import { checkSchedule } from "../src/schedules/due.ts";
import { dueNow, moveOn, readLastDue } from "../src/schedules/last-due.ts";
import { lookAgainAndAgain } from "../src/schedules/look.ts";
import { OVERDUE_MS, type OverdueScene, overdueNotices } from "../src/schedules/overdue.ts";

const LAST = "docker-ci:backup:last";
/** After one that failed: long enough that a full disk is not filled again and again. */
const AGAIN_MS = 10 * 60_000;

export interface BackupJob extends OverdueScene {
  readonly redis: Redis;
  readonly log: Logger;
  readonly backup: BackupConfig | undefined;
  readonly backups: Backups;
  readonly asked: Pick<AskedBackups, "resume">;
}

/**
 * Makes one if it is due. @returns the time it was due at, or undefined when there was nothing to do.
 * @throws what keeps it from being made: then it is still due, and after an hour that is told, if nothing else was.
 */
export async function backupIfDue(job: BackupJob, signal: AbortSignal): Promise<Date | undefined> {
  const { redis, backup, clock, config, backups } = job;
  if (backup === undefined) return undefined;
  const pattern = { at: backup.at, timezone: config.timezone };
  const now = clock.now();
  const before = await readLastDue(redis, LAST);
  const due = dueNow(before, pattern, now);
  if (due === undefined) return undefined;
  if (due === "anew") {
    await moveOn(redis, LAST, before, { ...pattern, due: now.toISOString() });
    return undefined;
  }
  try {
    await backups.run({ signal });
    await moveOn(redis, LAST, before, { ...pattern, due: due.toISOString() });
    return due;
  } catch (error) {
    const isLate = now.getTime() - due.getTime() >= OVERDUE_MS && before.last?.alerted !== due.toISOString();
    if (isLate && before.last !== undefined && !signal.aborted && (await readTrouble(redis)) === undefined) {
      const what = {
        what: "backup",
        project: undefined,
        due,
        reason: describeError(error),
        link: `${config.url}/backups`,
      };
      const told = { ...before.last, alerted: due.toISOString() };
      await moveOn(redis, LAST, before, told, await overdueNotices(job, what));
    }
    throw error;
  }
}

/** Looks again and again until disposed of. @throws ConfigError for a schedule that never comes. */
export function startBackups(
  job: BackupJob,
  { lookMs, againMs = AGAIN_MS }: { lookMs?: number; againMs?: number } = {},
): AsyncDisposable {
  const { backup, clock, config, log, backups, asked } = job;
  if (backup !== undefined) checkSchedule("backup.at", backup.at, config.timezone, clock.now());
  const stopped = new AbortController();
  let restAgainAt = 0;
  const look = async (): Promise<void> => {
    if (clock.now().getTime() < restAgainAt) return;
    try {
      await asked.resume();
      const made = await backupIfDue(job, stopped.signal);
      const wrong =
        made === undefined && (await backups.needsHealing()) ? await backups.heal({ signal: stopped.signal }) : [];
      // What was made a moment ago and could not be copied waits as well.
      if (wrong.length > 0 || (made !== undefined && (await backups.needsHealing()))) {
        restAgainAt = clock.now().getTime() + againMs;
      }
    } catch (error) {
      if (stopped.signal.aborted) return;
      // One that somebody else is at is no fault, and over in a while.
      if (!(error instanceof UserError)) restAgainAt = clock.now().getTime() + againMs;
      log.warn({ reason: describeError(error) }, "could not make the backup yet");
    }
  };
  const looking = lookAgainAndAgain(look, lookMs);
  return {
    async [Symbol.asyncDispose]() {
      stopped.abort(new Error("docker-ci is stopping"));
      await looking[Symbol.asyncDispose]();
    },
  };
}
