/** What comes by itself and when next, for whoever asks. */
import type { Redis } from "ioredis";
import type { Config } from "../config.ts";
import type { ProjectName } from "../names.ts";
import { nextDue } from "./due.ts";
import { type LastDue, type Pattern, readLastDue } from "./last-due.ts";
import { schedulesOf } from "./schedule.ts";

export interface Coming extends Pattern {
  /** `nightly hello`, `daily report to 2 addresses`. */
  readonly what: string;
  readonly project: ProjectName | undefined;
  readonly next: Date;
  /** What came of it the last time, where that is known. */
  readonly last: LastDue | undefined;
}

export type Schedules = ReturnType<typeof createSchedules>;

export function createSchedules(
  config: Pick<Config, "projects" | "schedules" | "timezone" | "report" | "mail" | "backup">,
  redis: Redis,
) {
  return {
    /** The soonest first. */
    async coming(now: Date): Promise<Coming[]> {
      const builds = schedulesOf(config).map(async (schedule): Promise<Coming> => {
        const { name, project, at, timezone, key } = schedule;
        const { last } = await readLastDue(redis, key);
        return { what: `${name} ${project}`, project, at, timezone, next: nextDue(at, timezone, now), last };
      });
      return [...(await Promise.all(builds)), ...report(config, now), ...backup(config, now)].toSorted(
        (a, b) => +a.next - +b.next,
      );
    },
  };
}

/** To how many, not to whom: addresses are people's. */
function report({ report, mail, timezone }: Pick<Config, "report" | "mail" | "timezone">, now: Date): Coming[] {
  if (report === undefined || mail === undefined) return [];
  const what = `daily report to ${mail.to.length === 1 ? "1 address" : `${mail.to.length} addresses`}`;
  const { at } = report;
  return [{ what, project: undefined, at, timezone, next: nextDue(at, timezone, now), last: undefined }];
}

function backup({ backup, timezone }: Pick<Config, "backup" | "timezone">, now: Date): Coming[] {
  if (backup === undefined) return [];
  const { at, targets } = backup;
  const what =
    targets.length === 0 ? "backup" : `backup to ${targets.map(({ bucket }) => `s3://${bucket}`).join(", ")}`;
  return [{ what, project: undefined, at, timezone, next: nextDue(at, timezone, now), last: undefined }];
}

/** `last #41`, `last skipped: nothing new since #41`; nothing where there is no build yet. */
export function lastPhrase(last: LastDue | undefined): string {
  if (last?.build === undefined) return "";
  return last.skipped === true ? `last skipped: nothing new since #${last.build}` : `last #${last.build}`;
}
