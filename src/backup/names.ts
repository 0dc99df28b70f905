/** What backups are called, here and in buckets (O-100, O-103), and which of them stay. */
import { join } from "node:path";
import type { BackupKeep, Config } from "../config.ts";
import { wallClock } from "../report/days.ts";

/** Always the newest, whatever it is; here a link. */
export const NEWEST = "docker-ci.tgz";
/** The original's absolute path without its first slash, as S3 had it. */
export const KEY_PREFIX = "data/backup/docker-ci/";

export function backupFolder({ dataDir }: Pick<Config, "dataDir">): string {
  return join(dataDir, "backup", "docker-ci");
}

/** `docker-ci_2026-11-22.tgz`; the second of a day `docker-ci_2026-11-22T161502.tgz`. Encrypted ones end in `.age` besides. */
export function backupName(
  madeAt: Date,
  { timezone, encrypted, taken }: { timezone: string; encrypted: boolean; taken: ReadonlySet<string> },
): string {
  const [day = "", time = ""] = wallClock(madeAt, timezone).split(" ");
  const ofDay = (name: string): boolean => name.startsWith(`docker-ci_${day}`);
  const when = [...taken].some(ofDay) ? `${day}T${time.replaceAll(":", "")}` : day;
  const end = encrypted ? ".tgz.age" : ".tgz";
  const name = `docker-ci_${when}${end}`;
  return taken.has(name) ? `docker-ci_${when}-${madeAt.getTime() % 1_000}${end}` : name;
}

const NAME = /^docker-ci_(\d{4}-\d{2}-\d{2})(T[\d-]+)?\.tgz(?:\.age)?$/;

export function isBackupName(name: string): boolean {
  return NAME.test(name);
}

/** The oldest first. */
export function byName(a: string, b: string): number {
  const [left, right] = [a, b].map((name) => NAME.exec(name)?.slice(1, 3).join("") ?? name);
  return (left ?? "") < (right ?? "") ? -1 : 1;
}

/** Those that stay: of so many days, weeks and months that have one the newest, and the newest of all. */
export function keptNames(names: readonly string[], keep: BackupKeep): ReadonlySet<string> {
  const newestFirst = names.filter(isBackupName).toSorted(byName).toReversed();
  const kept = new Set(newestFirst.slice(0, 1));
  for (const [count, periodOf] of [
    [keep.daily, (day: string) => day],
    [keep.weekly, mondayOf],
    [keep.monthly, (day: string) => day.slice(0, 7)],
  ] as const) {
    const seen = new Set<string>();
    for (const name of newestFirst) {
      const period = periodOf(NAME.exec(name)?.[1] ?? "");
      if (seen.has(period)) continue;
      seen.add(period);
      if (seen.size > count) break;
      kept.add(name);
    }
  }
  return kept;
}

function mondayOf(day: string): string {
  const at = new Date(`${day}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() - ((at.getUTCDay() + 6) % 7));
  return at.toISOString().slice(0, 10);
}
