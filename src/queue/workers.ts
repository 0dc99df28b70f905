/** Who works: every worker writes a line about itself that fades when it stops writing. */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { z } from "zod";
import type { WorkerStatus } from "../chat/command.ts";
import type { Clock } from "../clock.ts";
import { describeError } from "../errors.ts";

const PREFIX = "docker-ci:worker:";
const ALL = "docker-ci:workers";
const BEAT_MS = 5_000;
const FADES_AFTER_S = 15;

/** Not strict: a worker of a newer version may say more. */
const Status: z.ZodType<WorkerStatus> = z.object({
  name: z.string(),
  engine: z.string(),
  slots: z.number(),
  active: z.array(z.number()),
  seenAt: z.string(),
  version: z.string(),
});

/** The workers that were heard of in the last seconds, by name. */
export async function listWorkers(redis: Redis): Promise<WorkerStatus[]> {
  const ids = await redis.smembers(ALL);
  if (ids.length === 0) return [];
  const values = await redis.mget(ids.map((id) => PREFIX + id));
  const gone = ids.filter((_, index) => values[index] === null);
  if (gone.length > 0) await redis.srem(ALL, ...gone);
  return values
    .flatMap((json) => (json === null || json === undefined ? [] : [Status.parse(JSON.parse(json))]))
    .sort((a, b) => a.name.localeCompare(b.name));
}

export interface Heartbeat extends AsyncDisposable {
  /** Tells of a change at once. */
  beat(): void;
}

/** Tells of this worker until disposed of. @param describe what changes from beat to beat. */
export function announceWorker(
  redis: Redis,
  describe: () => Pick<WorkerStatus, "engine" | "slots" | "active" | "version">,
  clock: Clock,
  log: Logger,
): Heartbeat {
  const name = hostname();
  const id = `${name}-${randomBytes(4).toString("hex")}`;
  const beat = async (): Promise<void> => {
    const status: WorkerStatus = { name, ...describe(), seenAt: clock.now().toISOString() };
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
      await redis.del(PREFIX + id).catch(() => undefined /* it fades by itself */);
    },
  };
}
