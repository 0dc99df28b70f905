/** Who works: every worker writes a line about itself that fades when it stops writing. */
import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { z } from "zod";
import type { Clock } from "../clock.ts";
import { describeError } from "../errors.ts";
import { DRAINING } from "./drains.ts";
import { PROTOCOL_KEY, protocolProblem } from "./protocol.ts";
import type { WorkerStatus } from "./worker-status.ts";

const PREFIX = "docker-ci:worker:";
const ALL = "docker-ci:workers";
/** A hash by the worker's name: what was heard of it last (missing-workers.ts). */
export const HEARD = "docker-ci:workers:heard";
const BEAT_MS = 5_000;
const FADES_AFTER_S = 15;

/** Not strict: a worker of a newer version may say more. Of one from before there were protocols, 0. */
const Status = z.object({
  name: z.string(),
  engine: z.string(),
  slots: z.number(),
  active: z.array(z.number()),
  seenAt: z.string(),
  version: z.string(),
  labels: z.array(z.string()).default([]),
  protocol: z.number().default(0),
  /** Why it takes nothing just now: its disk is full. */
  held: z.string().optional(),
  /** It has stopped as it should, and is nobody to be missed. */
  left: z.boolean().default(false),
});
type Status = z.infer<typeof Status>;

export interface WorkersSeen {
  /** By name. */
  readonly up: readonly WorkerStatus[];
  /** Names of those that have just stopped as they should. */
  readonly left: ReadonlySet<string>;
}

/** The workers that were heard of in the last seconds, by name. */
export async function listWorkers(redis: Redis): Promise<WorkerStatus[]> {
  return [...(await seeWorkers(redis)).up];
}

export async function seeWorkers(redis: Redis): Promise<WorkersSeen> {
  const ids = await redis.smembers(ALL);
  if (ids.length === 0) return { up: [], left: new Set() };
  const [values, draining, protocol] = await Promise.all([
    redis.mget(ids.map((id) => PREFIX + id)),
    redis.hkeys(DRAINING),
    redis.get(PROTOCOL_KEY),
  ]);
  const gone = ids.filter((_, index) => values[index] === null);
  if (gone.length > 0) await redis.srem(ALL, ...gone);
  const known = values.flatMap((json) => (json === null ? [] : [Status.parse(JSON.parse(json))]));
  const up = known.filter(({ left }) => !left).map((status) => shown(status, draining, protocol));
  const names = new Set(up.map(({ name }) => name));
  return {
    up: up.toSorted((a, b) => a.name.localeCompare(b.name)),
    // One that was replaced by another process of its name has not left.
    left: new Set(known.flatMap(({ left, name }) => (left && !names.has(name) ? [name] : []))),
  };
}

function shown(
  { protocol: mine, left: _left, held, ...status }: Status,
  draining: readonly string[],
  protocol: string | null,
): WorkerStatus {
  const refused = (protocol === null ? undefined : protocolProblem(protocol, mine)) ?? held;
  return { ...status, draining: draining.includes(status.name), ...(refused === undefined ? {} : { refused }) };
}

export interface Heartbeat extends AsyncDisposable {
  /** Tells of a change at once. */
  beat(): void;
}

type Described = Pick<Status, "name" | "engine" | "slots" | "active" | "version" | "labels" | "protocol" | "held">;

/** Tells of this worker until disposed of. @param describe what changes from beat to beat. */
export function announceWorker(redis: Redis, describe: () => Described, clock: Clock, log: Logger): Heartbeat {
  const id = `${describe().name}-${randomBytes(4).toString("hex")}`;
  const beat = async (left = false): Promise<void> => {
    const status: Status = { ...describe(), seenAt: clock.now().toISOString(), left };
    await redis.set(PREFIX + id, JSON.stringify(status), "EX", FADES_AFTER_S);
    await redis.sadd(ALL, id);
  };
  const quietly = (): void => {
    beat().catch((error: unknown) => log.debug({ reason: describeError(error) }, "no heartbeat while Redis is away"));
  };
  quietly();
  const timer = setInterval(quietly, BEAT_MS);
  timer.unref();
  return {
    beat: quietly,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      const leave = async (): Promise<void> => {
        await beat(true);
        await redis.hdel(HEARD, describe().name);
      };
      // Else it fades by itself, and is missed.
      await leave().catch(() => undefined);
    },
  };
}
