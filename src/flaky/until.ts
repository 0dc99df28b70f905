/** The end of a quarantine as people say it: `2w`, or the day that is the last of it. */
import { quoted } from "../chat/quoted.ts";
import { UserError } from "../errors.ts";
import { dayOf, daysBefore, wallClock } from "../report/days.ts";
import { parseDuration } from "../units.ts";

const DAYS_MAX = 90;
const DAY_MS = 86_400_000;

/** @throws UserError for what is no time, is over, or is more than 90 days ahead. */
export function parseUntil(text: string, now: Date, timezone: string): Date {
  const durationMs = parseDuration(text);
  const until = durationMs === undefined ? endOfDay(text, timezone) : new Date(now.getTime() + durationMs);
  if (until === undefined || Number.isNaN(until.getTime())) {
    throw new UserError(
      `${quoted(text)} is no end: a time such as 2w, or a day such as ${dayOf(new Date(now.getTime() + 14 * DAY_MS), timezone)}, at most ${DAYS_MAX} days ahead. A test's name with spaces stands in quotes.`,
    );
  }
  if (until <= now) throw new UserError(`${quoted(text)} is over already; a quarantine ends in the future.`);
  // A day that is named ends at its midnight.
  if (until.getTime() > now.getTime() + (DAYS_MAX + 1) * DAY_MS || (durationMs ?? 0) > DAYS_MAX * DAY_MS) {
    throw new UserError(
      `${quoted(text)} is too far ahead: a quarantine lasts at most ${DAYS_MAX} days, and can be renewed.`,
    );
  }
  return until;
}

/** `2026-12-06 23:59 Etc/UTC` */
export function shownUntil(until: Date, timezone: string): string {
  return `${wallClock(until, timezone).slice(0, 16)} ${timezone}`;
}

/** The last second of `2026-12-06` there; undefined for what is no day. */
function endOfDay(text: string, timezone: string): Date | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const noon = new Date(`${text}T12:00:00Z`);
  // The 30th of February is read as the 2nd of March, or not at all.
  if (Number.isNaN(noon.getTime()) || noon.toISOString().slice(0, 10) !== text) return undefined;
  const shown = new Date(`${daysBefore(text, -1)}T00:00:00Z`).getTime();
  // Twice: the offset at the guess may not be the one at midnight.
  let at = shown;
  for (let round = 0; round < 2; round += 1) {
    at = shown - (Date.parse(`${wallClock(new Date(at), timezone).replace(" ", "T")}Z`) - at);
  }
  return new Date(at - 1_000);
}
