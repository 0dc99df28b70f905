/**
 * Notices workers that fall silent, and says so once: one that is killed or cut off says nothing itself. Who stops as it should says
 * that, and is not missed. Builds of a missing worker are taken up elsewhere by the queue, whether it is noticed here or not.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { z } from "zod";
import { line } from "../chat/reply.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { describeError } from "../errors.ts";
import { roomsOfAll } from "../incidents/recipients.ts";
import { formatAge } from "../units.ts";
import type { OutboxEntry } from "./outbox-entry.ts";
import { settleField } from "./push.ts";
import { HEARD, seeWorkers } from "./workers.ts";

/** With the 15 s after which a worker's word fades, one is missed within 20 s. */
const LOOK_MS = 3_000;
/** After a start, and after an outage of Redis, every worker has this long to say that it is there. */
const GRACE_MS = 20_000;
/** One that is missing for so long is forgotten. */
const FORGOTTEN_MS = 30 * 86_400_000;

const Heard = z.object({
  seenAt: z.iso.datetime(),
  active: z.array(z.number()),
  /** It was said that it is missing. */
  missing: z.boolean().default(false),
});
type Heard = z.infer<typeof Heard>;

export interface MissingScene {
  readonly config: Pick<Config, "mail" | "notify" | "url">;
  readonly redis: Redis;
  readonly clock: Clock;
  readonly log: Logger;
  readonly lookMs?: number;
  readonly graceMs?: number;
}

/** Looks again and again until disposed of. */
export function watchForMissing(scene: MissingScene): AsyncDisposable {
  const { clock, log, lookMs = LOOK_MS, graceMs = GRACE_MS } = scene;
  const stopped = new AbortController();
  let missedFrom = clock.now().getTime() + graceMs;
  const looking = (async () => {
    while (!stopped.signal.aborted) {
      try {
        await lookForMissing(scene, clock.now().getTime() >= missedFrom);
      } catch (error) {
        missedFrom = clock.now().getTime() + graceMs;
        log.debug({ reason: describeError(error) }, "could not look after the workers");
      }
      // The loop sees the abort.
      await sleep(lookMs, undefined, { signal: stopped.signal, ref: false }).catch(() => undefined);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      stopped.abort();
      await Promise.race([looking, sleep(1_000, undefined, { ref: false })]);
    },
  };
}

/** One look. @param misses whether those that are not there are told of by now. */
export async function lookForMissing(scene: MissingScene, misses: boolean): Promise<void> {
  const { redis, clock, log } = scene;
  const now = clock.now();
  // First who was heard of: one that says that it leaves does so before it is taken out there.
  const heard = await redis.hgetall(HEARD);
  const { up, left } = await seeWorkers(redis);
  const settle = async (name: string, next: Heard | undefined, said: readonly string[] = []): Promise<void> => {
    const json = next === undefined ? "" : JSON.stringify(next);
    if (await settleField(redis, HEARD, name, heard[name] ?? "", json, notices(scene, name, said, next))) {
      if (said.length > 0) log.warn({ worker: name, missing: next?.missing ?? false }, "a worker's coming or going");
    }
  };
  for (const name of new Set(up.map((worker) => worker.name))) {
    const before = read(heard[name]);
    const all = up.filter((worker) => worker.name === name);
    const seenAt =
      all
        .map((worker) => worker.seenAt)
        .toSorted()
        .at(-1) ?? now.toISOString();
    const next: Heard = { seenAt, active: all.flatMap(({ active }) => [...active]), missing: false };
    const back = before?.missing === true;
    if (!back && before?.seenAt === seenAt) continue;
    const awayMs = now.getTime() - Date.parse(before?.seenAt ?? seenAt);
    await settle(name, next, back ? [`worker ${name} is back after ${formatAge(awayMs)}`] : []);
  }
  const names = new Set(up.map(({ name }) => name));
  for (const [name, json] of Object.entries(heard)) {
    if (names.has(name)) continue;
    const before = read(json);
    const silentMs = now.getTime() - Date.parse(before?.seenAt ?? "");
    if (before === undefined || left.has(name) || silentMs > FORGOTTEN_MS) await settle(name, undefined);
    else if (misses && !before.missing) {
      const builds = before.active.map((number) => `#${number}`).join(", ");
      const facts = [
        `worker ${name} has not been heard of for ${formatAge(silentMs)}`,
        builds === "" ? "it was idle" : `${builds} ${before.active.length === 1 ? "begins" : "begin"} anew on another`,
      ];
      await settle(name, { ...before, missing: true }, facts);
    }
  }
}

function notices(
  { config, clock }: MissingScene,
  name: string,
  said: readonly string[],
  next: Heard | undefined,
): OutboxEntry[] {
  if (said.length === 0) return [];
  const at = clock.now().toISOString();
  const shown = line(next?.missing === true ? "errored" : "passed", [...said], `${config.url}/workers`);
  return roomsOfAll(config).map((room) => ({
    id: `worker-${name}-${at}`,
    at,
    about: `worker ${name}`,
    outgoing: { room, reply: { lines: [shown], key: `worker-${name}` }, priority: "notice" },
  }));
}

/** What nobody can read is as if nothing had been heard. */
function read(json: string | undefined): Heard | undefined {
  try {
    return json === undefined ? undefined : Heard.safeParse(JSON.parse(json)).data;
  } catch {
    return undefined;
  }
}
