/**
 * The job that asks for builds by the clock, once for each time they are due, whoever runs and restarts meanwhile.
 *
 * The request is named after the time that was due, so that one which was killed before that time was written down gets the same
 * build again. What came due while nobody ran is made up for: of several missed ones the newest, as the code of the others is no
 * more to be had. It looks every few seconds rather than waiting for a moment, which a clock that is set would never show.
 */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Build, Requester } from "../src/builds/build.ts";
import type { Builds } from "../src/builds/builds.ts";
import { buildUrl } from "../src/builds/describe.ts";
import { placePhrase } from "../src/builds/waiting.ts";
import type { Config } from "../src/config.ts";
import { describeError, UserError } from "../src/errors.ts";
import { TRIGGER_NETWORK } from "../src/names.ts";
import type { WorkerStatus } from "../src/queue/worker-status.ts";
import type { Revisions } from "../src/revisions.ts";
import { checkSchedule } from "../src/schedules/due.ts";
import { dueNow, type LastDue, moveOn, type Remembered, readLastDue } from "../src/schedules/last-due.ts";
import { lookAgainAndAgain } from "../src/schedules/look.ts";
import { OVERDUE_MS, type OverdueScene, overdueNotices } from "../src/schedules/overdue.ts";
import { type Schedule, schedulesOf } from "../src/schedules/schedule.ts";

const RESOLVE_TIMEOUT_MS = 30_000;

export interface NightlyScene extends OverdueScene {
  readonly config: Config;
  readonly builds: Builds;
  /** Missing in a process without an engine: whether anything is new cannot be told there, so it is built. */
  readonly revisions: Pick<Revisions, "resolve"> | undefined;
  readonly redis: Redis;
  readonly log: Logger;
  workers(): Promise<readonly WorkerStatus[]>;
}

/** What a look came to; undefined when there was nothing to do. */
export type Nightly =
  | { readonly kind: "requested"; readonly due: Date; readonly build: Build }
  | { readonly kind: "skipped"; readonly due: Date; readonly since: Build }
  | { readonly kind: "told"; readonly due: Date };

/**
 * Asks for the build if it is due, and says so when the last one did not happen.
 * @throws RuntimeError and what Redis throws; then it is still due.
 */
export async function nightlyIfDue(scene: NightlyScene, schedule: Schedule): Promise<Nightly | undefined> {
  const { redis, clock, log } = scene;
  const { key, at, timezone } = schedule;
  const now = clock.now();
  const before = await readLastDue(redis, key);
  const due = dueNow(before, schedule, now);
  if (due === "anew") {
    await moveOn(redis, key, before, { at, timezone, due: now.toISOString() });
    return undefined;
  }
  if (due === undefined) return watchLast(scene, schedule, before);
  const next: LastDue = { at, timezone, due: due.toISOString(), build: before.last?.build };
  try {
    const since = await unchangedSince(scene, schedule, before.last);
    if (since !== undefined) {
      if (!(await moveOn(redis, key, before, { ...next, skipped: true }))) return undefined;
      log.info({ schedule: schedule.name, project: schedule.project, since: since.number }, "nothing new to build");
      return { kind: "skipped", due, since };
    }
    const build = await scene.builds.request({
      project: schedule.project,
      ref: schedule.ref,
      params: schedule.params,
      requester: requesterOf(schedule),
      event: "nightly",
      asked: `${key}:${next.due}`,
    });
    const isOurs = await moveOn(redis, key, before, { ...next, build: build.number, watched: true });
    if (!isOurs) return undefined;
    await cancelOlder(scene, schedule, before.last, build);
    return { kind: "requested", due, build };
  } catch (error) {
    // No later try would find the branch; anything else may mend itself, and is told of when it has not after a while.
    const isHopeless = error instanceof UserError;
    const isLate = now.getTime() - due.getTime() >= OVERDUE_MS && before.last?.alerted !== next.due;
    if (isHopeless || (isLate && before.last !== undefined)) {
      const told = { ...(isHopeless ? next : (before.last ?? next)), alerted: next.due };
      const link = `${scene.config.url}/schedule`;
      const notices = await noticesOf(scene, schedule, { due, reason: describeError(error), link });
      if ((await moveOn(redis, key, before, told, notices)) && isHopeless) return { kind: "told", due };
    }
    if (isHopeless) return undefined;
    throw error;
  }
}

/** A night that still waits when the next one comes has nothing to say that this one does not: a long pause piles up none. */
async function cancelOlder(
  { builds }: NightlyScene,
  { name }: Schedule,
  last: LastDue | undefined,
  newer: Build,
): Promise<void> {
  if (last?.build === undefined || last.build === newer.number) return;
  if ((await found(builds, last.build))?.state.kind !== "queued") return;
  await builds.cancel(last.build, name, `superseded by #${newer.number}`, "queued");
}

/** Whether the build that was asked for last has begun; when it has not in time, that is told once. */
async function watchLast(scene: NightlyScene, schedule: Schedule, before: Remembered): Promise<Nightly | undefined> {
  const { last } = before;
  if (last?.watched !== true || last.build === undefined) return undefined;
  const { builds, config, clock, redis } = scene;
  const build = await found(builds, last.build);
  const settled = { ...last, watched: false };
  if (build?.state.kind !== "queued") {
    await moveOn(redis, schedule.key, before, settled);
    return undefined;
  }
  const due = new Date(last.due);
  const now = clock.now();
  // One that was made up for late has its hour, too.
  if (now.getTime() - Math.max(due.getTime(), Date.parse(build.requestedAt)) < OVERDUE_MS) return undefined;
  const workers = await scene.workers();
  const outlook = await builds.outlook(workers);
  const place = placePhrase(outlook.forecast(build), { now, timezone: config.timezone });
  const isPaused = outlook.forecast(build)?.waitsFor?.kind === "paused";
  const reason = `#${build.number} still waits: ${workers.length === 0 && !isPaused ? "no worker is up" : place}`;
  const notices = await noticesOf(scene, schedule, { due, reason, link: buildUrl(config.url, build.number) });
  if (!(await moveOn(redis, schedule.key, before, { ...settled, alerted: last.due }, notices))) return undefined;
  return { kind: "told", due };
}

function noticesOf(
  scene: NightlyScene,
  { name, project }: Schedule,
  { due, reason, link }: { due: Date; reason: string; link: string },
) {
  scene.log.error({ schedule: name, project, due: due.toISOString(), reason }, "what was due did not happen");
  return overdueNotices(scene, { what: `${name} ${project}`, project, due, reason, link });
}

/** The last build of the schedule, if that came to a result at what would be built now. */
async function unchangedSince(
  { builds, revisions, config }: NightlyScene,
  { project, ref, unchanged }: Schedule,
  last: LastDue | undefined,
): Promise<Build | undefined> {
  const repo = config.projects.get(project)?.repo;
  if (unchanged === "run" || last?.build === undefined || revisions === undefined || repo === undefined)
    return undefined;
  const before = await found(builds, last.build);
  if (before?.state.kind !== "passed" && before?.state.kind !== "failed") return undefined;
  const { sha } = await revisions.resolve(repo, ref, AbortSignal.timeout(RESOLVE_TIMEOUT_MS));
  return before.revision?.sha === sha ? before : undefined;
}

/** Undefined for a build that was cleared away meanwhile. */
async function found(builds: Builds, number: Build["number"]): Promise<Build | undefined> {
  try {
    return await builds.get(number);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function requesterOf({ name, project }: Schedule): Requester {
  const room = { network: TRIGGER_NETWORK, kind: "direct", name: project } as const;
  return { name, displayName: name, network: TRIGGER_NETWORK, room };
}

/** Looks again and again until disposed of. @throws ConfigError for a schedule that never comes. */
export function startNightlies(scene: NightlyScene, lookMs?: number): AsyncDisposable {
  const schedules = schedulesOf(scene.config);
  for (const { written, at, timezone } of schedules) checkSchedule(written, at, timezone, scene.clock.now());
  const lookAll = async (): Promise<void> => {
    for (const schedule of schedules) {
      const { name, project } = schedule;
      await nightlyIfDue(scene, schedule).catch((error: unknown) =>
        scene.log.warn({ schedule: name, project, reason: describeError(error) }, "could not ask for the build yet"),
      );
    }
  };
  return lookAgainAndAgain(lookAll, lookMs);
}
