/** What a look at a repository shows that was not there, or was another, when it was dealt with last. */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Project } from "../config.ts";
import { describeError } from "../errors.ts";
import { GitRef, type ProjectName, type Sha } from "../names.ts";
import type { Change, Taken } from "./change.ts";
import { type Head, headLedger } from "./head-ledger.ts";
import type { Kept } from "./kept.ts";
import { pullRequestsOf } from "./pull-request.ts";
import { isBranchWanted } from "./rules.ts";
import { repositoryKey } from "./scene.ts";

const LOOKED_AT = "docker-ci:triggers:looked";
/** GitHub's, Gitea's and Forgejo's, and GitLab's. */
const PULL_REQUEST = /^refs\/(?:pull|merge-requests)\/([1-9]\d{0,8})\/head$/;

export type See = (change: Change) => Promise<Taken>;

/** What is known of a project's refs. */
export interface Snapshot {
  readonly heads: ReadonlyMap<string, Kept<Head>>;
  /** The repository whose branches and tags were looked at before, and whose pull requests: what a first look shows is not new. */
  readonly lookedAt: { readonly names: string | null; readonly pulls: string | null };
}

export interface SeenScene {
  readonly redis: Redis;
  readonly see: See;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const pullsField = (project: ProjectName): string => `${project} pulls`;

export async function snapshotOf(redis: Redis, project: ProjectName): Promise<Snapshot> {
  const [heads, [names = null, pulls = null]] = await Promise.all([
    headLedger(redis, project).all(),
    redis.hmget(LOOKED_AT, project, pullsField(project)),
  ]);
  return { heads, lookedAt: { names, pulls } };
}

/** Remembers all at the first look; later has built what is new, and forgets what is gone. */
export async function noteHeads(
  scene: SeenScene,
  project: Project,
  snapshot: Snapshot,
  heads: ReadonlyMap<string, Sha>,
): Promise<void> {
  const key = repositoryKey(project.repo);
  const { names, pulls } = snapshot.lookedAt;
  const named = [...heads].filter(([ref]) => /^refs\/(?:heads|tags)\//.test(ref));
  await noteRefs(scene, project, snapshot, named, names === key ? "again" : names === null ? "first" : "elsewhere");
  await scene.redis.hset(LOOKED_AT, project.name, key);
  // They are in the same answer and so cost nothing; but nobody tells whose they are, so only where that does not matter.
  if (project.pullRequests === "run") {
    const requests = [...heads].filter(([ref]) => PULL_REQUEST.test(ref));
    await noteRefs(scene, project, snapshot, requests, pulls === key ? "again" : "elsewhere");
    await scene.redis.hset(LOOKED_AT, pullsField(project.name), key);
  } else if (pulls !== null) await scene.redis.hdel(LOOKED_AT, pullsField(project.name));

  const ledger = headLedger(scene.redis, project.name);
  for (const [ref, before] of snapshot.heads) {
    if (!heads.has(ref)) await ledger.change(ref, before, undefined);
  }
}

/** @param look the `first` one, one `again`, or the first one `elsewhere`: what was known there counts for nothing. */
async function noteRefs(
  scene: SeenScene,
  project: Project,
  { heads: known }: Snapshot,
  refs: readonly (readonly [ref: string, sha: Sha])[],
  look: "first" | "again" | "elsewhere",
): Promise<void> {
  const ledger = headLedger(scene.redis, project.name);
  const moved: Promise<void>[] = [];
  for (const [ref, sha] of refs) {
    const before = known.get(ref) ?? { value: undefined, json: "" };
    if (before.value?.sha === sha) continue;
    const isNew = look === "again" || (look === "first" && before.value !== undefined);
    if (isNew && isWanted(project, ref)) moved.push(noteMovedOrWarn(scene, project, ref, sha, before));
    else await ledger.change(ref, before, { sha, taken: 0 });
  }
  await Promise.all(moved);
}

function isWanted(project: Project, ref: string): boolean {
  if (ref.startsWith("refs/heads/")) return isBranchWanted(project, ref.slice("refs/heads/".length));
  return project.tags || !ref.startsWith("refs/tags/");
}

async function noteMovedOrWarn(
  scene: SeenScene,
  project: Project,
  ref: string,
  sha: Sha,
  before: Kept<Head>,
): Promise<void> {
  try {
    await noteMoved(scene, project, ref, sha, before);
  } catch (error) {
    if (scene.signal.aborted) return;
    // The next look finds it again.
    scene.log.warn({ reason: describeError(error), project: project.name, ref }, "a new head is not built yet");
  }
}

async function noteMoved(
  { redis, see }: SeenScene,
  project: Project,
  ref: string,
  sha: Sha,
  before: Kept<Head>,
): Promise<void> {
  const common = { project: project.name, by: "" };
  const number = Number(PULL_REQUEST.exec(ref)?.[1] ?? 0);
  if (number > 0) {
    const known = (await pullRequestsOf(redis, project.name).read(String(number))).value;
    if (known?.head !== sha) {
      await see({
        ...common,
        kind: "pull_request",
        number,
        action: "updated",
        head: sha,
        into: known?.into ?? project.branch,
        title: "",
        isTrusted: known?.isTrusted ?? false,
        isDraft: false,
      });
    }
    const next = { sha, taken: (before.value?.taken ?? 0) + 1 };
    await headLedger(redis, project.name).change(ref, before, next);
    return;
  }
  const name = GitRef.safeParse(ref.replace(/^refs\/(?:heads|tags)\//, "")).data;
  if (name === undefined) return;
  if (ref.startsWith("refs/tags/")) await see({ ...common, kind: "tag", tag: name, sha });
  else {
    const push = { branch: name, before: before.value?.sha, after: sha, messages: [], files: undefined };
    await see({ ...common, kind: "push", ...push });
  }
}
