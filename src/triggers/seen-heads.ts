/** What a look at a repository shows that was not there, or was another, when it was dealt with last. */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { pullRequestName } from "../builds/pull-request.ts";
import type { Project } from "../config.ts";
import { describeError } from "../errors.ts";
import { GitRef, type ProjectName, type Sha } from "../names.ts";
import type { Change, Taken } from "./change.ts";
import { type Head, headLedger } from "./head-ledger.ts";
import type { Kept } from "./kept.ts";
import { type PullRequest, pullRequestsOf } from "./pull-request.ts";
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
  /** Numbers to the pull requests that were told of. */
  readonly pulls: ReadonlyMap<string, Kept<PullRequest>>;
}

export interface SeenScene {
  readonly redis: Redis;
  readonly see: See;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const pullsField = (project: ProjectName): string => `${project} pulls`;

export async function snapshotOf(redis: Redis, project: ProjectName): Promise<Snapshot> {
  const [heads, [names = null, pulls = null], told] = await Promise.all([
    headLedger(redis, project).all(),
    redis.hmget(LOOKED_AT, project, pullsField(project)),
    pullRequestsOf(redis, project).all(),
  ]);
  return { heads, lookedAt: { names, pulls }, pulls: told };
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
  } else {
    if (pulls !== null) await scene.redis.hdel(LOOKED_AT, pullsField(project.name));
    if (project.pullRequests === "ask") await noteToldPulls(scene, project, snapshot, heads);
  }

  const ledger = headLedger(scene.redis, project.name);
  for (const [ref, before] of snapshot.heads) {
    if (!heads.has(ref)) await ledger.change(ref, before, undefined);
  }
}

/** Of an open pull request that was told of it is known whose it is: its next head may have been missed. */
async function noteToldPulls(
  scene: SeenScene,
  project: Project,
  snapshot: Snapshot,
  heads: ReadonlyMap<string, Sha>,
): Promise<void> {
  const moved = [...snapshot.pulls].flatMap(([number, { value }]) => {
    const sha = heads.get(`refs/pull/${number}/head`) ?? heads.get(`refs/merge-requests/${number}/head`);
    const isMoved = sha !== undefined && value !== undefined && !value.isClosed && value.head !== sha;
    return isMoved ? [{ number: Number(number), sha }] : [];
  });
  await Promise.all(
    moved.map(({ number, sha }) =>
      orWarn(scene, project, pullRequestName(number), () => noteMovedPull(scene, project, number, sha, snapshot)),
    ),
  );
}

/** @param look the `first` one, one `again`, or the first one `elsewhere`: what was known there counts for nothing. */
async function noteRefs(
  scene: SeenScene,
  project: Project,
  snapshot: Snapshot,
  refs: readonly (readonly [ref: string, sha: Sha])[],
  look: "first" | "again" | "elsewhere",
): Promise<void> {
  const ledger = headLedger(scene.redis, project.name);
  const moved: Promise<void>[] = [];
  for (const [ref, sha] of refs) {
    const before = snapshot.heads.get(ref) ?? { value: undefined, json: "" };
    if (before.value?.sha === sha) continue;
    const isNew = look === "again" || (look === "first" && before.value !== undefined);
    if (isNew && isWanted(project, ref))
      moved.push(orWarn(scene, project, ref, () => noteMoved(scene, project, ref, sha, before, snapshot)));
    else await ledger.change(ref, before, { sha, taken: 0 });
  }
  await Promise.all(moved);
}

function isWanted(project: Project, ref: string): boolean {
  if (ref.startsWith("refs/heads/")) return isBranchWanted(project, ref.slice("refs/heads/".length));
  return project.tags || !ref.startsWith("refs/tags/");
}

async function orWarn(scene: SeenScene, project: Project, ref: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (scene.signal.aborted) return;
    // The next look finds it again.
    scene.log.warn({ reason: describeError(error), project: project.name, ref }, "a new head is not built yet");
  }
}

async function noteMoved(
  scene: SeenScene,
  project: Project,
  ref: string,
  sha: Sha,
  before: Kept<Head>,
  snapshot: Snapshot,
): Promise<void> {
  const { redis, see } = scene;
  const number = Number(PULL_REQUEST.exec(ref)?.[1] ?? 0);
  if (number > 0) {
    if (!(await noteMovedPull(scene, project, number, sha, snapshot))) return;
    const next = { sha, taken: (before.value?.taken ?? 0) + 1 };
    await headLedger(redis, project.name).change(ref, before, next);
    return;
  }
  const name = GitRef.safeParse(ref.replace(/^refs\/(?:heads|tags)\//, "")).data;
  if (name === undefined) return;
  const common = { project: project.name, by: "" };
  if (ref.startsWith("refs/tags/")) await see({ ...common, kind: "tag", tag: name, sha });
  else {
    const push = { branch: name, before: before.value?.sha, after: sha, messages: [], files: undefined };
    await see({ ...common, kind: "push", ...push });
  }
}

/** @returns false when a webhook told of it while git answered: then it knows better, and the next look sees what it came to. */
async function noteMovedPull(
  { redis, see }: SeenScene,
  project: Project,
  number: number,
  sha: Sha,
  { pulls }: Snapshot,
): Promise<boolean> {
  const known = (await pullRequestsOf(redis, project.name).read(String(number))).value;
  if (known?.head === sha) return true;
  if (known?.head !== pulls.get(String(number))?.value?.head) return false;
  await see({
    kind: "pull_request",
    project: project.name,
    by: "",
    number,
    action: "updated",
    head: sha,
    into: known?.into ?? project.branch,
    title: "",
    isTrusted: known?.isTrusted ?? false,
    isDraft: known?.isDraft ?? false,
  });
  return true;
}
