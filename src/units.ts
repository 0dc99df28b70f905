/** Times and sizes as people write and read them: `10m`, `4g` in; `2m58s`, `1,204`, `1.5 GiB` out. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const DURATION_UNITS: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", SECOND],
  ["m", MINUTE],
  ["h", HOUR],
  ["d", DAY],
  ["w", 7 * DAY],
]);

const SIZE_UNITS: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["k", 1024],
  ["m", 1024 ** 2],
  ["g", 1024 ** 3],
  ["t", 1024 ** 4],
]);

/** What `parseDuration` takes, for messages. */
export const DURATION_EXAMPLES = "a time such as 60s, 10m, 24h or 90d";
/** What `parseSize` takes, for messages. */
export const SIZE_EXAMPLES = "a size such as 512m or 4g";

/**
 * Milliseconds of `60s`, `10m`, `24h`, `90d`, `1h30m`; `undefined` when it is something else. A bare number is refused,
 * because nobody can tell whether it means seconds or minutes.
 */
export function parseDuration(text: string): number | undefined {
  if (!/^(?:\d{1,9}(?:\.\d{1,3})?(?:ms|[smhdw]))+$/.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)(ms|[smhdw])/g)) {
    totalMs += Number(amount) * (DURATION_UNITS.get(unit ?? "") ?? Number.NaN);
  }
  return Number.isSafeInteger(Math.round(totalMs)) ? Math.round(totalMs) : undefined;
}

/** Bytes of `4g`, `512m`, `1.5G`, `64KiB`, `1024`; units are powers of 1024, as Docker has them. `undefined` otherwise. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,3})?)([kmgt]?)(?:i?b)?$/.exec(text.toLowerCase());
  if (match === null) return undefined;
  const bytes = Math.round(Number(match[1]) * (SIZE_UNITS.get(match[2] ?? "") ?? Number.NaN));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** How long something took: `4.1s` under ten seconds, then `58s`, `2m58s`, `1h02m`, `2d03h`. Never negative. */
export function formatDuration(durationMs: number): string {
  const ms = Math.max(0, durationMs);
  const tenths = Math.round(ms / 100);
  if (tenths < 100) return `${(tenths / 10).toFixed(1)}s`;
  const seconds = Math.round(ms / SECOND);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${twoDigits(seconds % 60)}s`;
  const minutes = Math.round(ms / MINUTE);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)}h${twoDigits(minutes % 60)}m`;
  const hours = Math.round(ms / HOUR);
  return `${Math.floor(hours / 24)}d${twoDigits(hours % 24)}h`;
}

/** How old something is, or how far away: `40s`, `6m`, `9h12m`, `3d`. Cut, not rounded, so that an age never runs ahead. */
export function formatAge(ageMs: number): string {
  const ms = Math.max(0, ageMs);
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)}s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)}h${twoDigits(Math.floor((ms % HOUR) / MINUTE))}m`;
  return `${Math.floor(ms / DAY)}d`;
}

/** `1204` as `1,204`. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}

/** `512 B`, `1.5 KiB`, `4 GiB`: one decimal where it says something. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let amount = Math.max(0, bytes);
  let unit = units.shift();
  // 1023.95 and more would be printed as 1024.
  while (amount >= 1023.95 && units.length > 0) {
    amount /= 1024;
    unit = units.shift();
  }
  return `${Number(amount.toFixed(1))} ${unit}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
