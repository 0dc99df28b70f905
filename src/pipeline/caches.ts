/** Folders that are kept from one build to the next, in volumes of the engine. */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { RuntimeError } from "../errors.ts";
import type { BuildNumber } from "../names.ts";
import type { ContainerLimits, ContainerRuntime, Mount } from "../runtime.ts";
import type { BuildEvent } from "./build-event.ts";
import { HandedOver } from "./stop.ts";

/** What the volumes of a build's steps are called by. */
export interface CacheScope {
  /** Builds with the same scope share their caches, also while they run side by side: what tools keep there must bear that. */
  readonly write: string;
  /** Whose caches a new one begins with a copy of. */
  readonly seedFrom?: string;
  /** They go with the build. */
  readonly isOfBuild?: boolean;
}

/**
 * Whose caches a build writes to. All builds of a branch share the branch's, which begins as a copy of the main branch's. A pull
 * request has its own, a copy of its target's: it reads what the branch has kept and never changes it. A tag or a commit gets a
 * copy of the main branch's for this build alone, and so does a build that is not trusted.
 * @param branch that is built, or that a pull request goes to; undefined for a tag or a commit.
 */
export function cacheScope(build: {
  readonly event: BuildEvent;
  readonly branch: string | undefined;
  readonly pullRequest?: number | undefined;
  /** Whatever it is of, nothing that it keeps is for others. */
  readonly isOfBuild?: boolean;
  readonly number: BuildNumber;
  readonly mainBranch: string;
}): CacheScope {
  const { event, branch, pullRequest, isOfBuild = false, number, mainBranch } = build;
  const seedFrom = `branch ${branch ?? mainBranch}`;
  if (isOfBuild) return { write: `build ${number}`, seedFrom, isOfBuild };
  if (event === "pull_request" || pullRequest !== undefined) {
    return pullRequest === undefined
      ? { write: `build ${number}`, seedFrom, isOfBuild: true }
      : { write: `pull request ${pullRequest}`, seedFrom };
  }
  if (branch === undefined) return { write: `build ${number}`, seedFrom, isOfBuild: true };
  return branch === mainBranch ? { write: seedFrom } : { write: seedFrom, seedFrom: `branch ${mainBranch}` };
}

export interface CachesWanted {
  readonly paths: readonly string[];
  readonly scope: CacheScope | undefined;
  /** Of the project, whatever the build. */
  readonly projectLabels: Readonly<Record<string, string>>;
  readonly buildLabels: Readonly<Record<string, string>>;
  readonly limits: ContainerLimits;
  say(text: string): Promise<void>;
}

/** The volumes for the `cache` paths of a step, made and filled where they are new. */
export async function prepareCaches(
  runtime: ContainerRuntime,
  wanted: CachesWanted,
  signal: AbortSignal,
): Promise<readonly Mount[]> {
  const { scope, paths } = wanted;
  if (scope === undefined) return [];
  return Promise.all(
    paths.map(async (path) => ({
      source: await prepare(runtime, wanted, scope, path, signal),
      target: path,
      readOnly: false,
    })),
  );
}

async function prepare(
  runtime: ContainerRuntime,
  wanted: CachesWanted,
  scope: CacheScope,
  path: string,
  signal: AbortSignal,
): Promise<string> {
  const own = cacheVolume(wanted.projectLabels, scope.write, path);
  const isNew = await runtime.createVolume(
    own.name,
    scope.isOfBuild === true ? { ...wanted.buildLabels, ...own.labels } : own.labels,
  );
  if (scope.seedFrom === undefined) return own.name;
  if (!isNew) {
    await awaitFilling(runtime, own.name, signal);
    return own.name;
  }
  const seed = cacheVolume(wanted.projectLabels, scope.seedFrom, path);
  if ((await runtime.findVolumes(seed.labels)).length === 0) return own.name;
  await wanted.say(`── filling the cache ${path} from that of ${scope.seedFrom}`);
  await fill(runtime, { from: seed.name, to: own.name, wanted }, signal);
  return own.name;
}

/** The same for every build with the scope. */
export function cacheVolume(
  projectLabels: Readonly<Record<string, string>>,
  scope: string,
  path: string,
): { readonly name: string; readonly labels: Readonly<Record<string, string>> } {
  const labels = { ...projectLabels, "docker-ci.cache": scope, "docker-ci.path": path };
  const hash = createHash("sha256")
    .update(JSON.stringify(Object.entries(labels).toSorted()))
    .digest("hex")
    .slice(0, 16);
  return { name: `docker-ci-${projectLabels["docker-ci.instance"] ?? "run"}-cache-${hash}`, labels };
}

/** Has cp and a shell, and is on every engine that ran setup.sh. */
const FILLING_IMAGE = "docker-ci/base";
const FILLS = "docker-ci.fills";
/** A container that was made and does not start within this was left by a worker that was killed in between. */
const STARTING_LOOKS = 20;
const STARTING_LOOK_MS = 100;

/** Copies a volume. A cache that could not be filled is an empty one, and no reason to stop. */
async function fill(
  runtime: ContainerRuntime,
  { from, to, wanted }: { readonly from: string; readonly to: string; readonly wanted: CachesWanted },
  signal: AbortSignal,
): Promise<void> {
  const spec = {
    name: `${to}.filling`,
    image: FILLING_IMAGE,
    command: ["cp", "-a", "/from/.", "/to/"],
    env: {},
    // Not those of the build: it may be cancelled, and another may wait for the same volume.
    labels: { ...wanted.projectLabels, [FILLS]: to },
    limits: wanted.limits,
    network: "none",
    privileged: false,
    user: "0:0",
    mounts: [
      { source: from, target: "/from", readOnly: true },
      { source: to, target: "/to", readOnly: false },
    ],
  };
  try {
    const container = await runtime.start(spec, signal);
    try {
      const { exitCode } = await container.wait(signal);
      if (exitCode !== 0)
        await wanted.say(`── the cache could not be filled (exit ${exitCode}); what was copied is used`);
    } finally {
      // The engine goes on with it for whoever takes the build over, and it is found by its label.
      if (!(signal.reason instanceof HandedOver)) await container.remove();
    }
  } catch (error) {
    if (!signal.aborted) {
      if (!(error instanceof RuntimeError)) throw error;
      await wanted.say(`── the cache could not be filled: ${error.message}`);
      return;
    }
    // Half a copy must not pass for a cache.
    if (!(signal.reason instanceof HandedOver)) await runtime.removeVolume(to);
    throw error;
  }
}

/**
 * Waits while the volume is filled, for another build that made it just now or for an earlier attempt of this one. Who comes in
 * the moment between its making and its filling has an empty cache, which harms nobody.
 */
async function awaitFilling(runtime: ContainerRuntime, volume: string, signal: AbortSignal): Promise<void> {
  for (let looks = 0; ; looks += 1) {
    const found = await runtime.find({ [FILLS]: volume });
    const isStarting = found.some(({ state }) => state === "created") && looks < STARTING_LOOKS;
    for (const { container, state } of found) {
      // Whoever began it may remove it first.
      if (state === "running") await container.wait(signal).catch(() => signal.throwIfAborted());
      if (!isStarting) await container.remove();
    }
    if (!isStarting) return;
    await sleep(STARTING_LOOK_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}
