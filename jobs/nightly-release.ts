/**
 * The job that publishes nights by the clock, once for each time they are due. The release is named after that time, so that a request
 * which was killed before it was written down gets the same release again. Of several missed nights the newest is made up for.
 */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Config, NightlyReleaseConfig, Project, ReleaseConfig } from "../src/config.ts";
import { describeError } from "../src/errors.ts";
import { type NightScene, nightOf } from "../src/releases/publish/night-release.ts";
import { type Release, Version } from "../src/releases/release.ts";
import { dayOf } from "../src/report/days.ts";
import { checkSchedule } from "../src/schedules/due.ts";
import { dueNow, moveOn, type Pattern, readLastDue } from "../src/schedules/last-due.ts";
import { lookAgainAndAgain } from "../src/schedules/look.ts";
import { OVERDUE_MS, type OverdueScene, overdueNotices } from "../src/schedules/overdue.ts";

export interface NightReleaseScene extends NightScene, OverdueScene {
  readonly config: Config;
  readonly redis: Redis;
  readonly log: Logger;
  /** Told of every release that is to be published now. */
  wake?(): void;
}

interface Nights extends Pattern {
  readonly project: Project;
  readonly config: ReleaseConfig;
  readonly nightly: NightlyReleaseConfig;
}

export function nightsOf({ releases, projects, timezone }: Config): Nights[] {
  return [...releases].flatMap(([name, config]): Nights[] => {
    const project = projects.get(name);
    const { nightly } = config;
    if (project === undefined || nightly === undefined) return [];
    return [{ project, config, nightly, at: nightly.at, timezone: nightly.timezone ?? timezone }];
  });
}

/** What a look came to; undefined when there was nothing to do. */
export type NightLook =
  | { readonly kind: "published"; readonly release: Release }
  | { readonly kind: "skipped"; readonly reason: string };

/** @throws RuntimeError and what Redis throws; then it is still due, and after an hour that is told. */
export async function nightReleaseIfDue(scene: NightReleaseScene, nights: Nights): Promise<NightLook | undefined> {
  const { redis, clock, log } = scene;
  const { project, config, at, timezone } = nights;
  const key = `docker-ci:release:night:${project.name}`;
  const now = clock.now();
  const before = await readLastDue(redis, key);
  const due = dueNow(before, nights, now);
  if (due === "anew") await moveOn(redis, key, before, { at, timezone, due: now.toISOString() });
  if (due === "anew" || due === undefined) return undefined;
  const next = { at, timezone, due: due.toISOString() };
  try {
    const version = Version.parse(dayOf(due, timezone));
    const night = await nightOf(scene, { project, config, version });
    if (night.kind === "skip") {
      if (!(await moveOn(redis, key, before, { ...next, skipped: true }))) return undefined;
      log.info({ project: project.name, version, reason: night.reason }, "no release tonight");
      return { kind: "skipped", reason: night.reason };
    }
    const release = await scene.releases.create(night.draft, `${key}:${next.due}`, () => []);
    if (!(await moveOn(redis, key, before, next))) return undefined;
    log.info({ project: project.name, version, release: release.number }, "a night is to be published");
    scene.wake?.();
    return { kind: "published", release };
  } catch (error) {
    const isLate = now.getTime() - due.getTime() >= OVERDUE_MS && before.last?.alerted !== next.due;
    if (isLate && before.last !== undefined) {
      const what = `nightly release ${project.name}`;
      const overdue = { what, project: project.name, due, reason: describeError(error) };
      const notices = await overdueNotices(scene, { ...overdue, link: `${scene.config.url}/releases` });
      await moveOn(redis, key, before, { ...before.last, alerted: next.due }, notices);
    }
    throw error;
  }
}

/** Looks again and again until disposed of. @throws ConfigError for a schedule that never comes. */
export function startNightReleases(scene: NightReleaseScene, lookMs?: number): AsyncDisposable {
  const all = nightsOf(scene.config);
  for (const { project, at, timezone } of all) {
    checkSchedule(`releases.${project.name}.nightly.at`, at, timezone, scene.clock.now());
  }
  const lookAll = async (): Promise<void> => {
    for (const nights of all) {
      await nightReleaseIfDue(scene, nights).catch((error: unknown) =>
        scene.log.warn(
          { project: nights.project.name, reason: describeError(error) },
          "no night could be published yet",
        ),
      );
    }
  };
  return lookAgainAndAgain(lookAll, lookMs);
}
