/**
 * What restored records need before docker-ci goes on with them, so that nothing is done or said a second time.
 *
 * What happened between the backup and the restore is known only where the docker-ci that is replaced can still be read (`later`).
 * Without it:
 * - Builds that ran or waited end errored. They may have been run to their end long ago, and a pipeline may publish or deploy:
 *   whoever still wants one asks again.
 * - Of what waited to be said, only what waited for a chat that was away stays: it was a minute old at least, where everything else
 *   goes out within seconds and has been said. It says of itself that it comes from the backup, as nobody can tell whether that chat
 *   came back in time. Who would rather lose a notice than read one twice has `!outbox` to look at before the chats are configured.
 * - What comes by the clock counts from now: what was due since the backup was done, or its time is over.
 */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { createAudit } from "../audit/audit.ts";
import type { Build, FinalState } from "../builds/build.ts";
import { announcements } from "../builds/builds.ts";
import { createBuildStore, FINISHED, NEXT } from "../builds/store.ts";
import { line } from "../chat/reply.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { createSubscriptions } from "../incidents/subscriptions.ts";
import { since } from "../queue/outbox-digest.ts";
import { OUTBOX_ROOMS, type OutboxEntry, parseEntry } from "../queue/outbox-entry.ts";
import { OUTBOX_TROUBLE } from "../queue/outbox-lists.ts";
import { pushOutbox } from "../queue/push.ts";
import { LastDue } from "../schedules/last-due.ts";
import { roomsFor } from "../schedules/overdue.ts";
import { clockPhrase } from "../schedules/when.ts";
import { statusEntries } from "../triggers/statuses.ts";
import { formatCount } from "../units.ts";
import { keysOf } from "./records.ts";

/** What is about to go out is younger. */
const WAITED_MS = 60_000;
const BY_THE_CLOCK = /^docker-ci:(?:schedule:|report:last$|backup:last$|releases?:)/;

export interface SettleScene {
  readonly redis: Redis;
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  readonly madeAt: Date;
  /** The records that are replaced, where they can be read and are of the same docker-ci. */
  readonly later: Redis | undefined;
}

export interface Settled {
  /** Builds that were running or queued. */
  readonly ended: readonly Build[];
  readonly kept: number;
  readonly leftOut: number;
}

export async function settleRecords(scene: SettleScene): Promise<Settled> {
  const { redis, later } = scene;
  const outbox = await settleOutbox(scene);
  await redis.del(OUTBOX_TROUBLE, FINISHED);
  await settleClock(scene);
  const number = Number((await later?.get(NEXT)) ?? 0);
  // A number that people have read stands for one build for ever.
  if (number > Number((await redis.get(NEXT)) ?? 0)) await redis.set(NEXT, number);
  const ended = await endBuilds(scene);
  const settled = { ended, ...outbox };
  await tell(scene, settled);
  return settled;
}

async function settleOutbox({ redis, later, madeAt }: SettleScene): Promise<{ kept: number; leftOut: number }> {
  let kept = 0;
  let leftOut = 0;
  const lists = new Set([...(await redis.smembers(OUTBOX_ROOMS)), ...((await later?.smembers(OUTBOX_ROOMS)) ?? [])]);
  for (const list of lists) {
    const waited = await redis.lrange(list, 0, -1);
    const troubled = (await redis.hexists(OUTBOX_TROUBLE, list)) === 1;
    const stays =
      later === undefined
        ? waited.flatMap((json) => stillWaits(json, troubled, madeAt))
        : (await later.lrange(list, 0, -1)).filter((json) => waited.includes(json) || foldsOlder(json, madeAt));
    const transaction = redis.multi().del(list).srem(OUTBOX_ROOMS, list);
    if (stays.length > 0) transaction.rpush(list, ...stays).sadd(OUTBOX_ROOMS, list);
    await transaction.exec();
    kept += stays.length;
    leftOut += Math.max(0, waited.length - stays.length);
  }
  return { kept, leftOut };
}

/** A digest that took notices of then in. */
function foldsOlder(json: string, madeAt: Date): boolean {
  const folded = parseEntry(json)?.folded;
  return folded !== undefined && Date.parse(folded.since) <= madeAt.getTime();
}

/** The entry, saying where it comes from; nothing for one that was about to go. */
function stillWaits(json: string, troubled: boolean, madeAt: Date): string[] {
  const entry = parseEntry(json);
  if (entry === undefined) return [];
  if (!troubled && madeAt.getTime() - Date.parse(since(entry)) < WAITED_MS) return [];
  const [first, ...rest] = entry.outgoing.reply.lines;
  if (first === undefined) return [];
  const marked = { ...first, facts: [...first.facts, `from the backup of ${madeAt.toISOString().slice(0, 16)}Z`] };
  const reply = { ...entry.outgoing.reply, lines: [marked, ...rest] };
  return [JSON.stringify({ ...entry, outgoing: { ...entry.outgoing, reply } } satisfies OutboxEntry)];
}

async function settleClock({ redis, later, clock }: SettleScene): Promise<void> {
  for (const key of (await keysOf(redis)).filter((each) => BY_THE_CLOCK.test(each))) {
    if ((await redis.type(key)) !== "string") continue;
    const last = lastDue(await redis.get(key));
    if (last === undefined) continue;
    const known = later === undefined ? null : await later.get(key);
    const moved = known ?? JSON.stringify({ ...last, due: clock.now().toISOString() } satisfies LastDue);
    await redis.set(key, moved);
  }
}

function lastDue(json: string | null): LastDue | undefined {
  try {
    return LastDue.safeParse(JSON.parse(json ?? "")).data;
  } catch {
    // Something else.
    return undefined;
  }
}

async function endBuilds({ redis, config, clock, log, madeAt }: SettleScene): Promise<Build[]> {
  const store = createBuildStore(redis, log, statusEntries(config, clock));
  const when = clockPhrase(madeAt, clock.now(), config.timezone);
  const ended: Build[] = [];
  for (const build of [...(await store.inState("running")), ...(await store.inState("queued"))]) {
    const was = build.state.kind === "running" ? "running" : "queued";
    const state: FinalState = {
      kind: "errored",
      ...(build.state.kind === "running" ? { startedAt: build.state.startedAt } : {}),
      finishedAt: clock.now().toISOString(),
      reason: `was ${was} when the backup of ${when} was made; ask again with ${config.prefix}rebuild ${build.number}`,
      tries: build.attempt,
    };
    const next = await store.transition(build, state, {}, announcements({ ...build, state }, config.url, clock));
    if (next !== undefined) ended.push(next);
  }
  return ended;
}

async function tell({ redis, config, clock, madeAt }: SettleScene, settled: Settled): Promise<void> {
  const now = clock.now();
  const facts = [`restored from the backup of ${clockPhrase(madeAt, now, config.timezone)}`, ...settledFacts(settled)];
  await createAudit(redis, clock).record({
    who: "docker-ci",
    account: null,
    room: null,
    action: "restore",
    detail: facts.join(", "),
    outcome: "accepted",
  });
  const subscriptions = createSubscriptions(redis, clock);
  const rooms = await roomsFor({ config, subscriptions }, undefined);
  await pushOutbox(
    redis,
    rooms.map((room) => ({
      id: `restored-${now.toISOString()}`,
      at: now.toISOString(),
      about: "restore",
      outgoing: { room, reply: { lines: [line("info", facts, `${config.url}/backups`)] }, priority: "notice" },
    })),
  );
}

/** `2 builds that were at work ended (#41, #42)`, `3 notices were about to go out then and are not said again`. */
export function settledFacts({ ended, kept, leftOut }: Settled): string[] {
  const numbers = ended.slice(0, 10).map(({ number }) => `#${number}`);
  const more = ended.length > 10 ? ` and ${formatCount(ended.length - 10)} more` : "";
  const facts: string[] = [];
  if (ended.length > 0) {
    facts.push(
      `${count(ended.length, "build")} that ran or waited then ended as errored (${numbers.join(", ")}${more})`,
    );
  }
  if (kept > 0) facts.push(`${count(kept, "notice")} that waited for a chat still to be said`);
  if (leftOut > 0) facts.push(`${count(leftOut, "notice")} of then not said again`);
  return facts;
}

function count(number: number, what: string): string {
  return `${formatCount(number)} ${what}${number === 1 ? "" : "s"}`;
}
