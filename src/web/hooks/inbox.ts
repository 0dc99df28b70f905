/**
 * Between the answer to a webhook, which a forge waits for ten seconds, and what is done about it, which may take longer: what
 * came is written down, then answered, then acted on, in order for each branch and pull request.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Clock } from "../../clock.ts";
import type { ForgeKind } from "../../config.ts";
import { RuntimeError } from "../../errors.ts";
import type { Heard } from "../../forge.ts";
import { isRedisAway } from "../../queue/redis.ts";
import type { Change, Triggers } from "../../triggers/change.ts";
import { createHookJournal, type NotedChange } from "./journal.ts";

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** What cannot be done for a day is not done any more. */
const LATE_MS = 86_400_000;
/** How often what nobody acts on is looked for: Redis may have taken what it could not confirm any more. */
const SWEEP_MS = 60_000;

export interface HookInbox extends AsyncDisposable {
  /** `known`: it came before. `full`: too much waits. Rejects when Redis does not answer. */
  put(forge: ForgeKind, heard: Extract<Heard, { kind: "changes" }>): Promise<"written" | "known" | "full">;
  /** Resolves when all that came so far was acted on. */
  idle(): Promise<void>;
}

export interface InboxDeps {
  readonly redis: Redis;
  readonly triggers: Triggers;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What happened to one branch or pull request, in order. */
interface Lane {
  readonly changes: Entered[];
  /** Until then nothing of this lane is tried. */
  retry: NodeJS.Timeout | undefined;
  waitMs: number;
}

interface Entered extends NotedChange {
  isAtWork: boolean;
}

/**
 * Begins with what a process before this one left. All that came is handed on at once, in its order, so that a newer push is
 * known while an older one waits for its turn; where git or Redis is away, the lane waits and tries what is left in order.
 * Disposing waits for nobody: what is at work belongs to the triggers, and is done once if it is done again.
 */
export function openHookInbox({ redis, triggers, clock, log }: InboxDeps): HookInbox {
  const journal = createHookJournal(redis, log);
  const lanes = new Map<string, Lane>();
  const inHand = new Set<string>();
  const stopping = new AbortController();
  let whenIdle: (() => void)[] = [];

  function enter(noted: NotedChange): void {
    if (stopping.signal.aborted) return;
    inHand.add(noted.id);
    const key = laneOf(noted.change);
    const lane = lanes.get(key) ?? { changes: [], retry: undefined, waitMs: FIRST_WAIT_MS };
    lanes.set(key, lane);
    const entered = { ...noted, isAtWork: false };
    lane.changes.push(entered);
    if (lane.retry === undefined) void act(lane, entered);
  }

  /** Never rejects. */
  async function act(lane: Lane, entered: Entered): Promise<void> {
    const { id, change, at } = entered;
    const fields = { delivery: id, project: change.project, change: change.kind };
    entered.isAtWork = true;
    try {
      const taken = await triggers.take(change, id);
      log.info({ ...fields, taken }, "a change was taken");
      lane.waitMs = FIRST_WAIT_MS;
      await leave(lane, [...overtaken(lane, entered), entered]);
    } catch (error) {
      entered.isAtWork = false;
      if (stopping.signal.aborted) return;
      const mayWork = (error instanceof RuntimeError && error.retryable) || isRedisAway(error);
      if (mayWork && clock.now().getTime() - at.getTime() <= LATE_MS) {
        if (lane.waitMs === FIRST_WAIT_MS) log.warn({ err: error, ...fields }, "a change waits to be acted on");
        tryLater(lane);
      } else {
        log.error({ err: error, ...fields }, "a change could not be acted on");
        await leave(lane, [entered]);
      }
    }
  }

  function tryLater(lane: Lane): void {
    if (lane.retry !== undefined) return;
    lane.retry = setTimeout(() => {
      lane.retry = undefined;
      for (const entered of lane.changes.filter(({ isAtWork }) => !isAtWork)) void act(lane, entered);
    }, lane.waitMs);
    lane.waitMs = Math.min(2 * lane.waitMs, LONGEST_WAIT_MS);
  }

  /** They are done with, and nothing that is older and waits is of use any more. */
  async function leave(lane: Lane, changes: readonly Entered[]): Promise<void> {
    for (const entered of changes) lane.changes.splice(lane.changes.indexOf(entered), 1);
    const [first] = changes;
    if (lane.changes.length === 0 && first !== undefined) {
      clearTimeout(lane.retry);
      lanes.delete(laneOf(first.change));
    }
    await Promise.all(changes.map(({ id }) => crossOff(id)));
    for (const { id } of changes) inHand.delete(id);
    if (inHand.size > 0) return;
    for (const resolve of whenIdle) resolve();
    whenIdle = [];
  }

  async function crossOff(id: string): Promise<void> {
    try {
      await journal.crossOff(id);
    } catch (error) {
      // It will be found again, and its delivery is known by then.
      log.warn({ err: error, delivery: id }, "a change that was acted on could not be crossed off");
    }
  }

  async function sweep(): Promise<void> {
    try {
      const left = (await journal.others(inHand)).filter(({ id }) => !inHand.has(id));
      if (left.length > 0) log.info({ count: left.length }, "changes that were left are acted on");
      left.forEach(enter);
    } catch (error) {
      if (!stopping.signal.aborted) log.warn({ err: error }, "could not read which changes were left");
    }
  }

  async function keepSweeping(): Promise<void> {
    await swept;
    while (!stopping.signal.aborted) {
      await sleep(SWEEP_MS, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined /* stopping */);
      if (!stopping.signal.aborted) await sweep();
    }
  }
  const swept = sweep();
  const sweeping = keepSweeping();

  return {
    async put(forge, { delivery, signature, changes }) {
      const marks = [`${forge}:${delivery}`, ...(signature === undefined ? [] : [`${forge}:${signature}`])];
      const at = clock.now();
      const noted = changes.map((change) => ({ id: idOf(`${forge}:${delivery}`, change), change, at }));
      // Before it is written: a sweep must not find it first.
      const fresh = noted.filter(({ id }) => !inHand.has(id));
      for (const { id } of fresh) inHand.add(id);
      let outcome: "written" | "known" | "full" | undefined;
      try {
        outcome = await journal.write(marks, noted);
      } finally {
        if (outcome === "written") noted.forEach(enter);
        else for (const { id } of fresh) inHand.delete(id);
      }
      return outcome;
    },
    async idle() {
      await swept;
      if (inHand.size > 0) await new Promise<void>((resolve) => whenIdle.push(resolve));
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      for (const { retry } of lanes.values()) clearTimeout(retry);
      await sweeping;
    },
  };
}

/**
 * What waits to be tried again and was overtaken: after a newer push an older one is not built, after the end of a pull request
 * not its beginning. What somebody said stays said.
 */
function overtaken({ changes }: Lane, by: Entered): Entered[] {
  if (by.change.kind === "comment") return [];
  return changes.slice(0, changes.indexOf(by)).filter(({ isAtWork, change }) => !isAtWork && change.kind !== "comment");
}

/** One delivery may change several projects, and one comment say several things. */
function idOf(delivery: string, change: Change): string {
  const command = change.kind === "comment" ? [change.command] : [];
  return [delivery, change.project, ...command].join(":");
}

function laneOf(change: Change): string {
  switch (change.kind) {
    case "push":
      return `${change.project} branch ${change.branch}`;
    case "tag":
      return `${change.project} tag ${change.tag}`;
    case "pull_request":
    case "comment":
      return `${change.project} PR#${change.number}`;
    default:
      return change satisfies never;
  }
}
