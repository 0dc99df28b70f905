/** What is known of a project's pull requests. */
import type { Redis } from "ioredis";
import { z } from "zod";
import { BuildNumber, GitRef, type ProjectName, Sha } from "../names.ts";
import { type KeptHash, keptHash } from "./kept.ts";

export const PullRequest = z.strictObject({
  number: z.number().int().positive(),
  /** Its newest head that we know of. */
  head: Sha,
  into: GitRef,
  title: z.string(),
  by: z.string(),
  /** Its author may push to the repository. */
  isTrusted: z.boolean(),
  isClosed: z.boolean(),
  isDraft: z.boolean(),
  /** The one head that somebody let run. */
  allowed: z.strictObject({ head: Sha, by: z.string() }).optional(),
  /** Since when `head` waits for somebody's word. */
  waitingSince: z.iso.datetime().optional(),
  /** How many builds of it were asked for: it names the request of the next, which is then made once. */
  taken: z.number().int().nonnegative(),
  /** The newest build, and the head that it is of. */
  built: z.strictObject({ head: Sha, into: GitRef, build: BuildNumber }).optional(),
});
export type PullRequest = z.infer<typeof PullRequest>;

/** Numbers to pull requests. Closed ones are kept: a ref of theirs that is seen later is no news. */
export function pullRequestsOf(redis: Redis, project: ProjectName): KeptHash<PullRequest> {
  return keptHash(redis, `docker-ci:triggers:pulls:${project}`, PullRequest);
}
