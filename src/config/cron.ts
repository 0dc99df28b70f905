/** Schedules: the five fields of cron(8), and the clock that they are read by. */
import { scalar } from "./scalars.ts";

/** A name of the time zone database. */
export const timezone = scalar("a time zone such as Etc/UTC or Europe/Berlin", (value) => {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: value }).resolvedOptions().timeZone === "" ? undefined : value;
  } catch {
    // RangeError is how Intl says that it does not know the zone.
    return undefined;
  }
});

const MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");
const DAYS = "sun mon tue wed thu fri sat".split(" ");

interface Field {
  readonly min: number;
  readonly max: number;
  /** Names of the values, the first one's value is `min`. */
  readonly names?: readonly string[];
}

const FIELDS: readonly Field[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: MONTHS },
  // Sunday is 0 and 7.
  { min: 0, max: 7, names: DAYS },
];

/** A schedule as it was written; only the ranges are checked here, the queue reads it. */
export const cron = scalar('a schedule of five fields such as "0 7 * * *"', (value) => {
  const fields = value.trim().split(/\s+/);
  const isSchedule =
    fields.length === FIELDS.length && FIELDS.every((field, index) => isField(fields[index] ?? "", field));
  return isSchedule ? fields.join(" ") : undefined;
});

function isField(text: string, field: Field): boolean {
  return text.split(",").every((part) => {
    const match = /^(?:\*|([a-z0-9]+)(?:-([a-z0-9]+))?)(?:\/([1-9]\d?))?$/i.exec(part);
    if (match === null) return false;
    const [, from, to = from] = match;
    if (from === undefined || to === undefined) return true;
    const [first, last] = [fieldValue(from, field), fieldValue(to, field)];
    return first >= field.min && last <= field.max && first <= last;
  });
}

/** NaN, which is in no range, for what is neither a number nor a name. */
function fieldValue(text: string, { min, names }: Field): number {
  const index = names?.indexOf(text.toLowerCase()) ?? -1;
  if (index >= 0) return min + index;
  return /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
}
