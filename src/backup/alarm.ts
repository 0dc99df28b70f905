/** A backup that fails, is missing or does not restore: said once, to whoever hears of everything, and again when it is good. */
import type { Redis } from "ioredis";
import { z } from "zod";
import { line, type Tone } from "../chat/reply.ts";
import type { Clock } from "../clock.ts";
import { OUTBOX_ROOMS, type OutboxEntry } from "../queue/outbox-entry.ts";
import { pushArguments, pushLua } from "../queue/push.ts";
import { type OverdueScene, roomsFor } from "../schedules/overdue.ts";
import { formatAge } from "../units.ts";

const TROUBLE = "docker-ci:backup:trouble";

export const BackupTrouble = z.strictObject({ since: z.iso.datetime(), reason: z.string() });
export type BackupTrouble = z.infer<typeof BackupTrouble>;

/** KEYS: trouble, rooms with an outbox. ARGV: what it was, what it is ("" for none), `pushArguments`. */
const CHANGE = `
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2]) end
${pushLua({ rooms: 2, first: 3 })}return 1
`;

export interface AlarmScene extends Pick<OverdueScene, "config" | "subscriptions"> {
  readonly redis: Redis;
  readonly clock: Clock;
}

export async function readTrouble(redis: Redis): Promise<BackupTrouble | undefined> {
  return parse((await redis.get(TROUBLE)) ?? "");
}

/** @param reason a phrase; undefined: all is well. The same trouble is said once, however often it is seen. */
export async function setTrouble(scene: AlarmScene, reason: string | undefined): Promise<void> {
  const { redis, clock } = scene;
  const json = (await redis.get(TROUBLE)) ?? "";
  const before = parse(json);
  const now = clock.now();
  if (reason === undefined && before === undefined) return;
  if (reason !== undefined && before?.reason === reason) return;
  const next = reason === undefined ? "" : JSON.stringify({ since: before?.since ?? now.toISOString(), reason });
  // Another reason in the same trouble is no news.
  const isNews = reason === undefined || before === undefined;
  const tell = async (): Promise<OutboxEntry[]> =>
    reason === undefined
      ? notices(scene, now, "passed", [
          "backups are good again",
          `after ${formatAge(now.getTime() - Date.parse(before?.since ?? now.toISOString()))}`,
        ])
      : notices(scene, now, "errored", [`backup failed: ${reason}`, "what was backed up before is still there"]);
  const entries = isNews ? await tell() : [];
  await redis.eval(CHANGE, 2, TROUBLE, OUTBOX_ROOMS, json, next, ...pushArguments(entries));
}

async function notices(scene: AlarmScene, now: Date, tone: Tone, facts: readonly string[]): Promise<OutboxEntry[]> {
  const lines = [line(tone, facts, `${scene.config.url}/backups`)];
  return (await roomsFor(scene, undefined)).map((room) => ({
    id: `backup-${tone}-${now.toISOString()}`,
    at: now.toISOString(),
    about: "backup",
    outgoing: { room, reply: { lines, topic: "backup" }, priority: "notice" },
  }));
}

function parse(json: string): BackupTrouble | undefined {
  try {
    return BackupTrouble.safeParse(JSON.parse(json)).data;
  } catch {
    // None.
    return undefined;
  }
}
