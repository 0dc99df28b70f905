/**
 * The job that compares what is served with what was signed, by the clock: every version that was published from here. Where one
 * differs the rooms are told, once until it is mended, and told again when it is.
 */
import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { line } from "../src/chat/reply.ts";
import type { Config } from "../src/config.ts";
import { describeError } from "../src/errors.ts";
import type { ProjectName } from "../src/names.ts";
import { OUTBOX_ROOMS, type OutboxEntry } from "../src/queue/outbox-entry.ts";
import { pushArguments, pushLua } from "../src/queue/push.ts";
import type { Verdict, VerifyRelease } from "../src/releases/publish/verify-release.ts";
import { verdictLines } from "../src/releases/publish/verify-words.ts";
import { type Release, type ReleaseNumber, releaseName, type Version } from "../src/releases/release.ts";
import type { ReleaseStore } from "../src/releases/store.ts";
import { checkSchedule } from "../src/schedules/due.ts";
import { dueNow, moveOn, readLastDue } from "../src/schedules/last-due.ts";
import { lookAgainAndAgain } from "../src/schedules/look.ts";
import { OVERDUE_MS, type OverdueScene, overdueNotices, roomsFor } from "../src/schedules/overdue.ts";

/** Of a project, the newest versions; older ones only when somebody asks. */
const VERSIONS_MAX = 50;
/** Every byte is read: what could not be done is not tried again at once. */
const AGAIN_MS = 5 * 60_000;
const TIMEOUT_MS = 60 * 60_000;
const PAGE = 100;

/**
 * KEYS: what was told (a hash of versions), rooms with an outbox. ARGV: version, what was told as it was read, what is told now ("" for
 * nothing), `pushArguments`. Returns 1, or 0 when somebody else was quicker.
 */
const TELL = `
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
if ARGV[3] == '' then redis.call('HDEL', KEYS[1], ARGV[1]) else redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) end
${pushLua({ rooms: 2, first: 4 })}return 1
`;

export interface VerifyScene extends OverdueScene {
  readonly config: Config;
  readonly releases: Pick<ReleaseStore, "latest">;
  readonly verifyRelease: VerifyRelease;
  readonly redis: Redis;
  readonly log: Logger;
}

interface Watched {
  readonly project: ProjectName;
  readonly at: string;
  readonly timezone: string;
}

/** Looks if it is due. @returns what was found, undefined when there was nothing to do. @throws RuntimeError; then it is still due. */
export async function verifyIfDue(
  scene: VerifyScene,
  watched: Watched,
  signal: AbortSignal,
): Promise<readonly Verdict[] | undefined> {
  const { redis, clock, log } = scene;
  const { project, at, timezone } = watched;
  const key = `docker-ci:release:verify:${project}`;
  const now = clock.now();
  const before = await readLastDue(redis, key);
  const due = dueNow(before, watched, now);
  if (due === "anew") await moveOn(redis, key, before, { at, timezone, due: now.toISOString() });
  if (due === "anew" || due === undefined) return undefined;
  const next = { at, timezone, due: due.toISOString() };
  try {
    const verdicts: Verdict[] = [];
    for (const { version, release } of await publishedVersions(scene, project)) {
      const verdict = await scene.verifyRelease({ project, version }, signal);
      await tell(scene, verdict, release);
      verdicts.push(verdict);
    }
    await moveOn(redis, key, before, next);
    log.info({ project, versions: verdicts.length }, "what is served was compared with what was signed");
    return verdicts;
  } catch (error) {
    signal.throwIfAborted();
    const isLate = now.getTime() - due.getTime() >= OVERDUE_MS && before.last?.alerted !== next.due;
    if (isLate && before.last !== undefined) {
      const overdue = { what: `verify ${project}`, project, due, reason: describeError(error) };
      const notices = await overdueNotices(scene, { ...overdue, link: `${scene.config.url}/releases` });
      await moveOn(redis, key, before, { ...before.last, alerted: next.due }, notices);
    }
    throw error;
  }
}

interface Published {
  readonly version: Version;
  readonly release: Release;
}

/** Each version once, by the release that published it last. Nights come and go by themselves. */
async function publishedVersions({ releases }: VerifyScene, project: ProjectName): Promise<Published[]> {
  const found = new Map<Version, Release>();
  let before: ReleaseNumber | undefined;
  for (;;) {
    const page = await releases.latest(PAGE, { project, ...(before === undefined ? {} : { before }) });
    for (const release of page) {
      const { version, kind } = release.plan;
      const isOne = release.origin === "person" && kind === "release" && release.state.kind === "published";
      if (isOne && !found.has(version) && found.size < VERSIONS_MAX) found.set(version, release);
    }
    before = page.at(-1)?.number;
    if (page.length < PAGE || found.size >= VERSIONS_MAX) break;
  }
  return [...found].map(([version, release]) => ({ version, release }));
}

/** Nothing is told of what is as it should be, and always was. */
async function tell(scene: VerifyScene, verdict: Verdict, release: Release): Promise<void> {
  const { redis, log } = scene;
  const { project, version, compared } = verdict;
  const key = `docker-ci:release:differs:${project}`;
  const told = (await redis.hget(key, version)) ?? "";
  const now = compared.kind === "same" ? "" : createHash("sha256").update(JSON.stringify(compared)).digest("hex");
  if (told === now) return;
  if (now !== "") log.error({ project, version, compared }, "what is served is not what was signed");
  await redis.eval(
    TELL,
    2,
    key,
    OUTBOX_ROOMS,
    version,
    told,
    now,
    ...pushArguments(await entries(scene, verdict, release)),
  );
}

async function entries(scene: VerifyScene, verdict: Verdict, release: Release): Promise<OutboxEntry[]> {
  const { project, version, compared } = verdict;
  const { config, clock } = scene;
  const at = clock.now().toISOString();
  const link = `${config.url}/releases/${releaseName(release)}`;
  const lines =
    compared.kind === "same"
      ? [line("passed", [`${project} ${version} is as it was signed again`], link)]
      : verdictLines(verdict, config.url);
  return (await roomsFor(scene, project)).map((room) => ({
    id: `verify-${project}-${version}-${at}`,
    at,
    about: `${project} ${version}`,
    outgoing: { room, reply: { lines, topic: `verify-${project}-${version}` }, priority: "notice" },
  }));
}

/** Looks again and again until disposed of. @throws ConfigError for a schedule that never comes. */
export function startVerifying(scene: VerifyScene, lookMs?: number): AsyncDisposable {
  const { config, clock, log } = scene;
  const all = [...config.releases].flatMap(([project, { verifyAt }]): Watched[] =>
    verifyAt === undefined ? [] : [{ project, at: verifyAt, timezone: config.timezone }],
  );
  for (const { project, at, timezone } of all) checkSchedule(`releases.${project}.verify`, at, timezone, clock.now());
  const stopping = new AbortController();
  const notBefore = new Map<ProjectName, number>();
  const lookAll = async (): Promise<void> => {
    for (const watched of all) {
      if (stopping.signal.aborted || Date.now() < (notBefore.get(watched.project) ?? 0)) continue;
      const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(TIMEOUT_MS)]);
      await verifyIfDue(scene, watched, signal).catch((error: unknown) => {
        if (stopping.signal.aborted) return;
        notBefore.set(watched.project, Date.now() + AGAIN_MS);
        log.warn(
          { project: watched.project, reason: describeError(error) },
          "what is served could not be compared yet",
        );
      });
    }
  };
  const looking = lookAgainAndAgain(lookAll, lookMs);
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await looking[Symbol.asyncDispose]();
    },
  };
}
