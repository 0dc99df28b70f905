/**
 * What was due last, in Redis. It is moved on by the script that puts up what is to be said of it, so neither can happen without
 * the other, and of two processes only one does it.
 */
import type { Redis } from "ioredis";
import { z } from "zod";
import { BuildNumber } from "../names.ts";
import { OUTBOX_ROOMS, type OutboxEntry } from "../queue/outbox-entry.ts";
import { pushArguments, pushLua } from "../queue/push.ts";
import { newestDue } from "./due.ts";

/** A moment this far ahead was written while the clock was wrong, and would keep everything away until then. */
const AHEAD_MS = 86_400_000;

/** When something is due: a pattern of cron(8), by the clock of a time zone. */
export interface Pattern {
  readonly at: string;
  readonly timezone: string;
}

/** With the pattern it was due by: a changed one begins anew. */
export const LastDue = z.object({
  at: z.string(),
  timezone: z.string(),
  due: z.iso.datetime(),
  /** The newest build that came of it. */
  build: BuildNumber.optional(),
  /** Nothing was new since that build, so there is none of `due`. */
  skipped: z.boolean().optional(),
  /** Whether that build has begun, or that report has reached its readers, is still to be seen. */
  watched: z.boolean().optional(),
  /** The due time of which it was said that nothing happened. */
  alerted: z.iso.datetime().optional(),
});
export type LastDue = z.infer<typeof LastDue>;

/** As it was read; handed back when it is moved on. */
export interface Remembered {
  readonly json: string;
  readonly last: LastDue | undefined;
}

/**
 * KEYS: what was due last, rooms with an outbox.
 * ARGV: what was due last as it was read ("" for nothing), what is now, `pushArguments`.
 * Returns 1, or 0 when somebody else was quicker.
 */
const MOVE_ON = `
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
${pushLua({ rooms: 2, first: 3 })}return 1
`;

export async function readLastDue(redis: Redis, key: string): Promise<Remembered> {
  const json = (await redis.get(key)) ?? "";
  return { json, last: known(json) };
}

/** @returns whether it was done; otherwise somebody else was quicker. */
export async function moveOn(
  redis: Redis,
  key: string,
  before: Remembered,
  next: LastDue,
  entries: readonly OutboxEntry[] = [],
): Promise<boolean> {
  const args = [before.json, JSON.stringify(LastDue.parse(next)), ...pushArguments(entries)];
  return (await redis.eval(MOVE_ON, 2, key, OUTBOX_ROOMS, ...args)) === 1;
}

/**
 * The newest time that it was due at and nothing was done yet; undefined when there is none. `anew`: nothing is known that this
 * pattern could go on from, so it counts from now.
 */
export function dueNow({ last }: Remembered, { at, timezone }: Pattern, now: Date): Date | "anew" | undefined {
  if (last === undefined || last.at !== at || last.timezone !== timezone) return "anew";
  if (Date.parse(last.due) > now.getTime() + AHEAD_MS) return "anew";
  return newestDue(at, timezone, new Date(last.due), now);
}

function known(json: string): LastDue | undefined {
  try {
    return LastDue.safeParse(JSON.parse(json)).data;
  } catch {
    // Nothing was due so far, or nobody can tell: it begins anew.
    return undefined;
  }
}
