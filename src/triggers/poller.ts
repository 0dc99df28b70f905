/** Looks at repositories from time to time: builds what no webhook tells of, and what one missed. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Config, Project } from "../config.ts";
import { describeError } from "../errors.ts";
import type { Revisions } from "../revisions.ts";
import { pollIntervalMs } from "./poll-interval.ts";
import { noteReachable, noteUnreachable } from "./reachability.ts";
import { gitSignal, type Scene } from "./scene.ts";
import { noteHeads, type See, snapshotOf } from "./seen-heads.ts";

/** The first looks of many repositories are spread over this, so that a start is not held up. */
const FIRST_LOOK_MS = 10_000;
const BACK_OFF_MAX_MS = 10 * 60_000;
/** Of the interval: repositories of one interval drift apart. */
const JITTER = 0.1;

/** Projects that have one repository in common, which is looked at once for all of them. */
export interface Watched {
  readonly repo: string;
  readonly projects: readonly Project[];
  readonly intervalMs: number;
}

export interface PollerScene extends Omit<Scene, "signal" | "revisions" | "builds"> {
  readonly revisions: Revisions;
  readonly see: See;
}

/** Looks until disposed of. @param random from 0 up to 1. */
export function startPoller(given: PollerScene, random: () => number = Math.random): AsyncDisposable {
  const stopped = new AbortController();
  const scene = { ...given, signal: stopped.signal };

  async function watch(watched: Watched): Promise<void> {
    let failures = 0;
    let waitMs = Math.min(FIRST_LOOK_MS, watched.intervalMs) * random();
    while (!stopped.signal.aborted) {
      await sleep(waitMs, undefined, { signal: stopped.signal, ref: false }).catch(() => {
        // The loop sees the abort.
      });
      if (stopped.signal.aborted) return;
      try {
        failures = (await look(scene, watched)) ? 0 : failures + 1;
      } catch (error) {
        if (stopped.signal.aborted) return;
        failures += 1;
        given.log.warn({ reason: describeError(error), projects: namesOf(watched) }, "could not look for new commits");
      }
      waitMs = backOffMs(watched.intervalMs, failures) * (1 - JITTER + 2 * JITTER * random());
    }
  }

  const watching = watchedOf(given.config).map(watch);
  return {
    async [Symbol.asyncDispose]() {
      stopped.abort();
      await Promise.all(watching);
    },
  };
}

/**
 * One look.
 * @returns false when the repository cannot be reached; people hear of that when it lasts. @throws what Redis throws.
 */
export async function look(scene: PollerScene & Pick<Scene, "signal">, { repo, projects }: Watched): Promise<boolean> {
  // Read first: what a webhook brings while git answers is newer than the answer.
  const snapshots = await Promise.all(projects.map(({ name }) => snapshotOf(scene.redis, name)));
  let heads: Awaited<ReturnType<Revisions["heads"]>>;
  try {
    heads = await scene.revisions.heads(repo, gitSignal(scene));
  } catch (error) {
    if (scene.signal.aborted) throw error;
    scene.log.warn({ reason: describeError(error), projects: projects.map(({ name }) => name) }, "repository away");
    await noteUnreachable(scene, repo, projects, error instanceof Error ? error.message : String(error));
    return false;
  }
  await noteReachable(scene, repo, projects);
  for (const [index, project] of projects.entries()) {
    const snapshot = snapshots[index];
    if (snapshot !== undefined) await noteHeads(scene, project, snapshot, heads);
  }
  return true;
}

/** Repositories by their address, each as often as the most eager of its projects wants. */
export function watchedOf(config: Config): Watched[] {
  const byRepo = new Map<string, Watched>();
  for (const project of config.projects.values()) {
    const intervalMs = pollIntervalMs(config, project);
    if (intervalMs === undefined) continue;
    const known = byRepo.get(project.repo);
    byRepo.set(project.repo, {
      repo: project.repo,
      projects: [...(known?.projects ?? []), project],
      intervalMs: Math.min(intervalMs, known?.intervalMs ?? intervalMs),
    });
  }
  return [...byRepo.values()];
}

/** 60s, then 2m, 4m, 8m and 10m; an interval that is longer than that stays as it is. */
export function backOffMs(intervalMs: number, failures: number): number {
  return Math.max(intervalMs, Math.min(intervalMs * 2 ** Math.min(failures, 20), BACK_OFF_MAX_MS));
}

function namesOf({ projects }: Watched): string[] {
  return projects.map(({ name }) => name);
}
