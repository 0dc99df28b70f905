/** Calendar days of a time zone, which are 23 to 25 hours long and begin when its people say so. */

const formats = new Map<string, Intl.DateTimeFormat>();

/** `2026-11-22 08:00:00`: what a clock on the wall shows. In an hour that comes twice it shows one time twice. */
export function wallClock(at: Date, timezone: string): string {
  // sv-SE writes dates and times as ISO 8601 does.
  const how = { timeZone: timezone, dateStyle: "short", timeStyle: "medium" } as const;
  const format = formats.get(timezone) ?? new Intl.DateTimeFormat("sv-SE", how);
  formats.set(timezone, format);
  return format.format(at);
}

/** `2026-11-22`, the day that a moment lies in. */
export function dayOf(at: Date, timezone: string): string {
  return wallClock(at, timezone).slice(0, 10);
}

/** The day before, or `count` days before. */
export function daysBefore(day: string, count: number): string {
  const at = new Date(`${day}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() - count);
  return at.toISOString().slice(0, 10);
}

/** The Monday of its week. */
export function mondayOf(day: string): string {
  // A Sunday is the last day of a week and has the number 0.
  return daysBefore(day, (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7);
}

/** `Sun 2026-11-22` */
export function dayName(day: string): string {
  const name = new Intl.DateTimeFormat("en-GB", { weekday: "short", timeZone: "UTC" }).format(
    new Date(`${day}T00:00:00Z`),
  );
  return `${name} ${day}`;
}
