/** What is held: builds of a project, or all, wait until somebody resumes them. Kept over restarts. */
import type { Redis } from "ioredis";
import { z } from "zod";
import type { Clock } from "../clock.ts";
import { ProjectName } from "../names.ts";

/** A hash by project; what holds everything stands under `ALL`. */
export const PAUSED = "docker-ci:paused";
/** No project is called that. */
export const ALL = "*";

const Kept = z.object({ by: z.string(), since: z.iso.datetime() });

export interface Pause {
  /** Undefined: everything. */
  readonly project: ProjectName | undefined;
  readonly by: string;
  /** ISO 8601. */
  readonly since: string;
}

/** @param resumed is called after a hold has ended: something may begin now. */
export function createPauses(redis: Redis, clock: Clock, resumed: () => Promise<void>) {
  return {
    /** All that is held, the longest first. */
    async all(): Promise<Pause[]> {
      return Object.entries(await redis.hgetall(PAUSED))
        .map(([field, json]) => ({ ...read(json), project: field === ALL ? undefined : ProjectName.parse(field) }))
        .toSorted((a, b) => a.since.localeCompare(b.since));
    },

    /** @returns the hold that was there already and goes on, if there was one. */
    async pause(project: ProjectName | undefined, by: string): Promise<Pause | undefined> {
      const kept = JSON.stringify({ by, since: clock.now().toISOString() });
      if ((await redis.hsetnx(PAUSED, project ?? ALL, kept)) === 1) return undefined;
      return (await this.all()).find((pause) => pause.project === project);
    },

    /** @returns what was held until now; undefined when it was not. */
    async resume(project: ProjectName | undefined): Promise<Pause | undefined> {
      const held = (await this.all()).find((pause) => pause.project === project);
      await redis.hdel(PAUSED, project ?? ALL);
      if (held !== undefined) await resumed();
      return held;
    },
  };
}

/** What holds builds of that project: its own hold, or that of everything. */
export function pauseOf(pauses: readonly Pause[], project: ProjectName): Pause | undefined {
  return pauses.find((pause) => pause.project === project) ?? pauses.find((pause) => pause.project === undefined);
}

/** It holds even where nobody can read any more who began it: whoever wonders finds the audit log. */
function read(json: string): z.infer<typeof Kept> {
  try {
    return Kept.parse(JSON.parse(json));
  } catch {
    return { by: "somebody", since: new Date(0).toISOString() };
  }
}
