/** What everything that acts on a change is given, and how an automatic build is asked for. */
import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Requester } from "../builds/build.ts";
import type { Builds } from "../builds/builds.ts";
import type { Clock } from "../clock.ts";
import type { Config, Project } from "../config.ts";
import { UserError } from "../errors.ts";
import type { Subscriptions } from "../incidents/subscriptions.ts";
import { type BuildNumber, type GitRef, type ProjectName, type Sha, TRIGGER_NETWORK } from "../names.ts";
import { cleanName } from "../results/clean-name.ts";
import type { Commit, Revision, Revisions } from "../revisions.ts";
import type { Taken } from "./change.ts";
import type { ForgeApis } from "./forge-chat.ts";
import { addSkipped } from "./skipped.ts";

/** How long git may take over one question. */
const GIT_TIMEOUT_MS = 60_000;
/** A list of so many commits, or of so many files of one, was cut (revisions.ts). */
const COMMITS_MAX = 50;
const FILES_MAX = 200;

export interface Scene {
  readonly config: Config;
  readonly builds: Builds;
  readonly redis: Redis;
  /** Missing in a process without an engine: what is built is then what the webhook said, and pull requests are not. */
  readonly revisions: Revisions | undefined;
  readonly subscriptions: Subscriptions;
  /** Missing where nobody speaks with forges. */
  readonly forgeApis?: ForgeApis | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborts when docker-ci stops. */
  readonly signal: AbortSignal;
}

export function gitSignal({ signal }: Pick<Scene, "signal">): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(GIT_TIMEOUT_MS)]);
}

/** Stands for a repository in Redis: its address may hold a password. */
export function repositoryKey(repo: string): string {
  return createHash("sha256").update(repo).digest("hex").slice(0, 32);
}

/** The "person" behind an automatic build. @param by whoever pushed, or opened the pull request. */
export function automatic(project: ProjectName, name: "push" | "tag" | "pull request", by: string): Requester {
  return {
    name,
    displayName: cleanName(by),
    network: TRIGGER_NETWORK,
    room: { network: TRIGGER_NETWORK, kind: "direct", name: project },
  };
}

/** Takes the build of an older head out of the line, and stops it where the project wants that. */
export async function supersede(
  { builds }: Pick<Scene, "builds">,
  project: Pick<Project, "cancelRunning">,
  older: BuildNumber | undefined,
  newer: BuildNumber,
  by: string,
): Promise<void> {
  if (older === undefined || older === newer) return;
  await cancelKnown({ builds }, older, by, `superseded by #${newer}`, project.cancelRunning ? "any" : "queued");
}

/** Cancels a build unless it is over, or its record is gone. @returns whether it was not too late. */
export async function cancelKnown(
  { builds }: Pick<Scene, "builds">,
  number: BuildNumber,
  by: string,
  reason: string,
  which: "any" | "queued",
): Promise<boolean> {
  try {
    return (await builds.cancel(number, cleanName(by), reason, which)).kind !== "over";
  } catch (error) {
    // There is no record of that number any more.
    if (error instanceof UserError) return false;
    throw error;
  }
}

/** Writes down what is not built, and says so. */
export async function skip(
  { redis, clock }: Pick<Scene, "redis" | "clock">,
  project: ProjectName,
  ref: GitRef,
  sha: Sha,
  reason: string,
): Promise<Taken> {
  await addSkipped(redis, { project, ref, sha, reason, at: clock.now().toISOString() });
  return { kind: "skipped", reason };
}

/** What a commit says of itself: all of it where git can be asked, else its title. */
export async function messageOf(scene: Scene, { repo }: Pick<Project, "repo">, revision: Revision): Promise<string> {
  return scene.revisions?.message(repo, revision.sha, gitSignal(scene)) ?? revision.title;
}

/** The files that these commits change; undefined where the list was cut, so that nobody knows them all. */
export function filesOf(commits: readonly Commit[]): string[] | undefined {
  if (commits.length >= COMMITS_MAX || commits.some(({ files }) => files.length >= FILES_MAX)) return undefined;
  return [...new Set(commits.flatMap(({ files }) => files))];
}
