/** When a schedule was last due. BullMQ reads the pattern, as it does for every other schedule, but the time is the caller's. */
import { getNextMillis } from "bullmq";
import { ConfigError, describeError } from "../errors.ts";
import { wallClock } from "../report/days.ts";

const DAY_MS = 86_400_000;
/** Looked at one after the other, so that a schedule of every minute is not counted through from last year. */
const WINDOWS_MS = [1, 8, 32, 366].map((days) => days * DAY_MS);

/**
 * The next time it is due by the clock on the wall. When that is put back, the times that it shows again are not due again: the
 * pattern's reader leaves the second one out only when it is asked before the first.
 * @throws NeverDueError for a pattern that no day fits, such as the 30th of February.
 */
export function nextDue(pattern: string, timezone: string, after: Date): Date {
  const shown = wallClock(after, timezone);
  let due = following(pattern, timezone, after);
  while (wallClock(due, timezone) <= shown) due = following(pattern, timezone, due);
  return due;
}

function following(pattern: string, timezone: string, after: Date): Date {
  try {
    const next = getNextMillis(after.getTime(), { pattern, tz: timezone });
    if (next !== undefined) return new Date(next);
  } catch (error) {
    throw new NeverDueError(pattern, describeError(error));
  }
  throw new NeverDueError(pattern, "no day fits");
}

/** The newest time after `after`, and not after `now`, at which it was due; undefined when there was none. */
export function newestDue(pattern: string, timezone: string, after: Date, now: Date): Date | undefined {
  const shown = wallClock(after, timezone);
  for (const windowMs of WINDOWS_MS) {
    const from = new Date(Math.max(after.getTime(), now.getTime() - windowMs));
    let newest: Date | undefined;
    for (let due = nextDue(pattern, timezone, from); due <= now; due = nextDue(pattern, timezone, due)) {
      // A window may begin in the middle of an hour that comes twice.
      if (wallClock(due, timezone) > shown) newest = due;
    }
    if (newest !== undefined || from.getTime() === after.getTime()) return newest;
  }
  return undefined;
}

/** @param key where it is written. @throws ConfigError for a pattern that no day fits, before anything waits for that day. */
export function checkSchedule(key: string, pattern: string, timezone: string, now: Date): void {
  try {
    nextDue(pattern, timezone, now);
  } catch (error) {
    if (!(error instanceof NeverDueError)) throw error;
    throw new ConfigError("docker-ci cannot start.", [`${key}: ${error.message}`], { cause: error });
  }
}

/** No day fits the pattern. */
class NeverDueError extends Error {
  override readonly name = "NeverDueError";

  constructor(pattern: string, reason: string) {
    super(`found "${pattern}", which never comes (${reason})`);
  }
}
