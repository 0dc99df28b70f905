/** The tokens with which workers bring their files to the page: one for each worker, of which only the hash is kept. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Redis } from "ioredis";
import { z } from "zod";
import type { Clock } from "../clock.ts";
import { WORKER_NAME } from "../config/worker.ts";

/** A hash by the worker's name. No worker may read it. */
const TOKENS = "docker-ci:worker-tokens";

const Kept = z.object({ sha256: z.string(), since: z.iso.datetime() });

const hashed = (token: string): string => createHash("sha256").update(token).digest("hex");

/** `<worker>.<secret>`: whose it is stands in it. */
export async function makeWorkerToken(redis: Redis, worker: string, clock: Clock): Promise<string> {
  const token = `${worker}.${randomBytes(32).toString("base64url")}`;
  const kept = { sha256: hashed(token), since: clock.now().toISOString() } satisfies z.infer<typeof Kept>;
  await redis.hset(TOKENS, worker, JSON.stringify(kept));
  return token;
}

/** @returns whether it had one. */
export async function revokeWorkerToken(redis: Redis, worker: string): Promise<boolean> {
  return (await redis.hdel(TOKENS, worker)) > 0;
}

/** The workers that have one, and since when. */
export async function listWorkerTokens(redis: Redis): Promise<ReadonlyMap<string, string>> {
  const all = Object.entries(await redis.hgetall(TOKENS));
  return new Map(all.map(([worker, json]) => [worker, Kept.parse(JSON.parse(json)).since] as const));
}

/** The worker whose token it is; undefined for anything else. */
export async function workerOfToken(redis: Redis, token: string): Promise<string | undefined> {
  const worker = token.slice(0, Math.max(0, token.lastIndexOf(".")));
  if (!WORKER_NAME.test(worker)) return undefined;
  const json = await redis.hget(TOKENS, worker);
  if (json === null) return undefined;
  const { sha256 } = Kept.parse(JSON.parse(json));
  const same = timingSafeEqual(Buffer.from(hashed(token), "hex"), Buffer.from(sha256, "hex"));
  return same ? worker : undefined;
}
