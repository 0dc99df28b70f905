/** The head of every branch and tag that was dealt with last, so that none is built twice and none is forgotten. */
import type { Redis } from "ioredis";
import { z } from "zod";
import { BuildNumber, type ProjectName, Sha } from "../names.ts";
import { type KeptHash, keptHash } from "./kept.ts";

export const Head = z.strictObject({
  sha: Sha,
  /** How many heads of this ref were dealt with: it names the request of the next, which is then made once. */
  taken: z.number().int().nonnegative(),
  /** The newest build of this ref that nobody asked for; of this head, unless that was skipped. */
  build: BuildNumber.optional(),
  /** Why this head was not built. */
  skipped: z.string().optional(),
});
export type Head = z.infer<typeof Head>;

/** Refs in full, `refs/heads/main`, to their heads. */
export function headLedger(redis: Redis, project: ProjectName): KeptHash<Head> {
  return keptHash(redis, `docker-ci:triggers:heads:${project}`, Head);
}
