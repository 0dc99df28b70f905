/** What changed and was not built, and why; the newest two hundred. */
import type { Redis } from "ioredis";
import { z } from "zod";
import { GitRef, ProjectName, Sha } from "../names.ts";

const SKIPPED = "docker-ci:triggers:skipped";
const KEPT = 200;

export const Skipped = z.strictObject({
  project: ProjectName,
  /** A branch, a tag, or `PR#12`. */
  ref: GitRef,
  sha: Sha,
  reason: z.string(),
  at: z.iso.datetime(),
});
export type Skipped = z.infer<typeof Skipped>;

export async function addSkipped(redis: Redis, skipped: Skipped): Promise<void> {
  await redis
    .multi()
    .lpush(SKIPPED, JSON.stringify(skipped))
    .ltrim(SKIPPED, 0, KEPT - 1)
    .exec();
}

/** The newest first. */
export async function listSkipped(redis: Redis): Promise<Skipped[]> {
  const entries = await redis.lrange(SKIPPED, 0, -1);
  return entries.flatMap((json) => Skipped.safeParse(JSON.parse(json)).data ?? []);
}
