/** Moments as they are said in a chat: by the clock of the configuration, the day's name where that is enough. */
import { wallClock } from "../report/days.ts";
import { formatAge } from "../units.ts";

/** So far ahead or back a day of the week names one day. */
const WEEK_MS = 6 * 86_400_000;

/** `Tue 07:00 UTC`; of another week `2026-12-01 07:00 UTC`. */
export function clockPhrase(at: Date, now: Date, timezone: string): string {
  const [day = "", time = ""] = wallClock(at, timezone).split(" ");
  const isNear = Math.abs(at.getTime() - now.getTime()) < WEEK_MS;
  const shown = isNear ? new Intl.DateTimeFormat("en-GB", { weekday: "short", timeZone: timezone }).format(at) : day;
  return `${shown} ${time.slice(0, 5)} ${timezone === "Etc/UTC" ? "UTC" : timezone}`;
}

/** `in 9h12m, Tue 07:00 UTC` */
export function whenPhrase(at: Date, now: Date, timezone: string): string {
  return `in ${formatAge(at.getTime() - now.getTime())}, ${clockPhrase(at, now, timezone)}`;
}
