/**
 * Publishes a release that has its approvals, step by step. Each step is written into the record before it begins and may be done
 * again, so that whoever finds the record after a crash goes on from there. It ends published, failed or refused, and says so in the
 * script that writes it down. Until step `latest` nothing that anybody reads has moved.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { buildUrl } from "../../builds/describe.ts";
import { type Line, line } from "../../chat/reply.ts";
import { describeError, RuntimeError, UserError } from "../../errors.ts";
import type { BuildNumber } from "../../names.ts";
import type { OutboxEntry } from "../../queue/outbox-entry.ts";
import { isRedisAway } from "../../queue/redis.ts";
import { cleanName } from "../../results/clean-name.ts";
import { releaseEntries } from "../announce.ts";
import { PUBLISH_STEPS, type PublishStep, type Release, type ReleaseState, releaseName, stepsOf } from "../release.ts";
import { releaseTitle } from "../words.ts";
import type { CollectedFile } from "./collect.ts";
import { placeOf } from "./layout.ts";
import { movePointers } from "./move-pointers.ts";
import {
  isPublishing,
  OvertakenError,
  type Publication,
  type Publishing,
  type PublishingRelease,
  type PublishScene,
  RefusedError,
} from "./scene.ts";
import { collect, sign } from "./signed-version.ts";
import { SmokeTestError, smokeTest } from "./smoke-test.ts";
import { latestNow, moveLatest, putAll, readBack, servedManifest } from "./step-bucket.ts";
import { build } from "./step-build.ts";
import { check, readWrittenLatest } from "./step-check.ts";
import { afterwards } from "./step-tag.ts";
import { unfinishedOf } from "./unfinished.ts";
import type { Upload } from "./upload.ts";

const RETRIES_MS = [5_000, 20_000];
/** What a failed release left in the bucket is taken out for so long at the most. */
const CLEAR_MS = 60_000;
const REASON_LENGTH = 300;

/** Called as the release goes on: how much of an upload is there. */
export type OnProgress = (release: Release, progress: { readonly bytes: number; readonly ofBytes: number }) => void;

/**
 * @param signal whose abort leaves the release as it is, for whoever takes it up later.
 * @throws what aborted it, OvertakenError, and what Redis throws when it is away: then the release is still under way.
 */
export async function publish(
  scene: PublishScene,
  release: PublishingRelease,
  signal: AbortSignal,
  onProgress: OnProgress = () => undefined,
): Promise<Release> {
  const { project, version } = release.plan;
  const record = createRecord(scene, release);
  const config = scene.config.releases.get(project);
  const settings = scene.config.projects.get(project);
  if (config === undefined || settings === undefined) {
    return record.end({
      kind: "refused",
      finishedAt: now(scene),
      reason: `${project} is no longer set up for releases`,
    });
  }
  const place = placeOf(config, project, version);
  const store = await scene.openStore(place.bucket);
  try {
    const signer = await scene.openSigner(config);
    const unfinished = unfinishedOf(scene.redis, project, version);
    const publication: Publication = {
      ...{ scene, config, place, store, signer, unfinished, signal },
      project: settings,
      warnings: [],
      get release() {
        return record.release;
      },
      note: record.note,
    };
    return await drive(publication, record, onProgress);
  } finally {
    await store[Symbol.asyncDispose]();
  }
}

type Recorded = ReturnType<typeof createRecord>;

async function drive(publication: Publication, record: Recorded, onProgress: OnProgress): Promise<Release> {
  const work = workOf(publication, onProgress);
  const steps = stepsOf(record.release.plan);
  for (const step of steps.slice(Math.max(0, steps.indexOf(record.release.state.step)))) {
    await record.begin(step);
    try {
      await withRetries(publication, step, () => work[step]());
    } catch (error) {
      if (isInterruption(error, publication)) throw error;
      if (step === "latest" && (await isMoved(publication, error))) continue;
      if (step === "pointers") {
        warnOfPointers(publication, error);
        continue;
      }
      return await giveUp(publication, record, step, error);
    }
  }
  try {
    return await conclude(publication, record);
  } catch (error) {
    // A bucket that does not answer now is asked again later: `latest` is moved, and nothing is left to decide.
    const isFinal = error instanceof RuntimeError && !error.retryable;
    if (!isFinal || isInterruption(error, publication)) throw error;
    return await giveUp(publication, record, "announce", error);
  }
}

/** Once `latest` says it, the release is published, whatever follows it lacks. */
async function conclude(publication: Publication, record: Recorded): Promise<Release> {
  const { scene } = publication;
  const { manifest, sha256 } = await servedManifest(publication);
  const { state, plan } = record.release;
  scene.log.info({ release: record.release.number, project: plan.project, version: plan.version }, "release published");
  return record.end({
    kind: "published",
    startedAt: state.startedAt,
    finishedAt: now(scene),
    build: state.build ?? manifest.build,
    files: manifest.files.length,
    bytes: manifest.files.reduce((sum, { bytes }) => sum + bytes, 0),
    sha256,
    warnings: [...publication.warnings],
  });
}

/** What the steps do. What an earlier process had in memory is made again from the records and the files. */
function workOf(publication: Publication, onProgress: OnProgress): Record<PublishStep, () => Promise<void>> {
  let files: readonly CollectedFile[] | undefined;
  let uploads: readonly Upload[] | undefined;
  let isFollowedUp = false;
  const collected = async () => {
    files ??= await collect(publication);
    return files;
  };
  const signed = async () => {
    uploads ??= await sign(publication, await collected());
    return uploads;
  };
  const followUp = async () => {
    if (publication.release.plan.kind === "release" && !isFollowedUp) await afterwards(publication);
    isFollowedUp = true;
  };
  return {
    check: () => check(publication),
    build: () => build(publication),
    collect: async () => void (await collected()),
    "smoke-test": async () => smokeTest(publication, await collected()),
    sign: async () => void (await signed()),
    upload: async () => putAll(publication, await signed(), (progress) => onProgress(publication.release, progress)),
    verify: () => readBack(publication),
    latest: () => moveLatest(publication),
    pointers: () => movePointers(publication),
    tag: followUp,
    announce: followUp,
  };
}

/** The record, written at every turn; nothing is done that is not in it. */
function createRecord(scene: PublishScene, before: PublishingRelease) {
  let release = before;
  const write = async (
    state: ReleaseState,
    said: (next: Release) => Promise<readonly OutboxEntry[]>,
  ): Promise<Release> => {
    const next = await scene.releases.change(release, { state }, await said({ ...release, state }));
    if (next === undefined) throw new OvertakenError(`R${release.number} was changed by somebody else`);
    if (isPublishing(next)) release = next;
    return next;
  };
  const note = async (changes: Partial<Pick<Publishing, "build" | "latestBefore" | "step">>): Promise<void> => {
    await write({ ...release.state, ...changes }, (next) => newsOf(scene, next, changes.build));
  };
  return {
    get release() {
      return release;
    },
    note,
    async begin(step: PublishStep): Promise<void> {
      const detail = `${releaseTitle(release)}: ${step}`;
      const act = { who: "docker-ci", account: null, room: null, action: "release-step", outcome: "accepted" } as const;
      await scene.audit.record({ ...act, detail });
      // Also when it is the step that was recorded last: the change shows that somebody is at it again.
      await note({ step });
    },
    async end(state: Exclude<ReleaseState, { kind: "waiting" | "publishing" }>): Promise<Release> {
      const reason = "reason" in state && state.reason !== undefined ? `: ${state.reason}` : "";
      const detail = `${releaseTitle(release)} is ${state.kind}${reason}`;
      const outcome = state.kind === "published" ? "accepted" : "failed";
      const act = { who: "docker-ci", account: null, room: null, action: "release-state" } as const;
      await scene.audit.record({ ...act, detail, outcome });
      return write(state, (next) => releaseEntries(scene, next));
    },
  };
}

/**
 * One line that names the build, and where a message can be edited the card; how it goes on is shown there in passing
 * (releases/progress.ts). A night is quiet until its end.
 */
async function newsOf(
  scene: PublishScene,
  next: Release,
  build: BuildNumber | undefined,
): Promise<readonly OutboxEntry[]> {
  if (next.origin === "nightly" || build === undefined) return [];
  const edits = new Set<string>(scene.config.slack.map(({ name }) => name));
  return (await releaseEntries(scene, next)).map((entry): OutboxEntry => {
    // A delivery of the same name would be taken for one that was made already.
    const id = `${entry.id}-building`;
    const { outgoing } = entry;
    if (edits.has(outgoing.room.network)) return { ...entry, id };
    return {
      ...entry,
      id,
      outgoing: { ...outgoing, reply: { ...outgoing.reply, lines: [buildingLine(scene, next, build)] } },
    };
  });
}

/** That it is approved was said by whoever gave the last vote. */
function buildingLine({ config }: PublishScene, release: Release, build: BuildNumber): Line {
  return line("info", [`${releaseName(release)}: building #${build}`], buildUrl(config.url, build));
}

async function withRetries({ scene, signal, release }: Publication, step: PublishStep, work: () => Promise<void>) {
  for (const waitMs of scene.retriesMs ?? RETRIES_MS) {
    try {
      return await work();
    } catch (error) {
      const mayMend = error instanceof RuntimeError && error.retryable && !isRedisAway(error);
      if (!mayMend || signal.aborted) throw error;
      scene.log.warn({ release: release.number, step, reason: describeError(error) }, "a step is tried again");
      await sleep(waitMs, undefined, { signal });
    }
  }
  return work();
}

/** The release goes on later: nothing of it has failed. */
function isInterruption(error: unknown, { signal }: Publication): boolean {
  return signal.aborted || error instanceof OvertakenError || isRedisAway(error);
}

/** Whether `latest` was moved although it was not heard so. */
async function isMoved(publication: Publication, error: unknown): Promise<boolean> {
  if (!(error instanceof RuntimeError)) return false;
  const now = await latestNow(publication).catch(() => undefined /* then it is not known */);
  return now?.version === publication.release.plan.version;
}

/**
 * The version is published, as `latest` says it. What may mend itself is waited for, so that everything says the same in the end.
 * @throws the error, for whoever takes the release up again.
 */
function warnOfPointers({ scene, release, warnings }: Publication, error: unknown): void {
  if (!(error instanceof RuntimeError) || error.retryable) throw error;
  scene.log.error({ release: release.number, err: error }, "not all that follows latest could be moved");
  warnings.push(cleanName(`not everything says so: ${error.message}`).slice(0, REASON_LENGTH));
}

async function giveUp(publication: Publication, record: Recorded, step: PublishStep, error: unknown): Promise<Release> {
  const { scene, release } = publication;
  const reason = cleanName(
    error instanceof RuntimeError || error instanceof UserError || error instanceof RefusedError
      ? error.message
      : describeError(error),
  ).slice(0, REASON_LENGTH);
  scene.log.error({ release: release.number, step, err: error }, "release failed");
  const finishedAt = now(scene);
  const isUnmoved = PUBLISH_STEPS.indexOf(step) < PUBLISH_STEPS.indexOf("latest") || error instanceof RefusedError;
  if (isUnmoved && release.plan.kind === "release") await takeBack(publication);
  if (error instanceof RefusedError) return record.end({ kind: "refused", finishedAt, reason });
  const { build: number } = release.state;
  return record.end({
    kind: "failed",
    finishedAt,
    step,
    ...(number === undefined ? {} : { build: number }),
    ...(error instanceof SmokeTestError && error.lines.length > 0 ? { lines: [...error.lines] } : {}),
    reason: step === "latest" || step === "announce" ? `${reason}; ${await latestWords(publication)}` : reason,
  });
}

async function latestWords(publication: Publication): Promise<string> {
  const before = readWrittenLatest(publication.release.state.latestBefore);
  try {
    const now = await latestNow(publication);
    return `latest says ${now?.version ?? "nothing"}`;
  } catch {
    // What it says is then what nobody can tell.
    return `whether latest still says ${before?.version ?? "nothing"} is not known`;
  }
}

/** As far as it can be: what stays is known as unfinished, and makes room for the next try of the version. */
async function takeBack({ store, unfinished, signal, scene, release }: Publication): Promise<void> {
  try {
    await unfinished.remove(store, AbortSignal.any([signal, AbortSignal.timeout(CLEAR_MS)]));
  } catch (error) {
    signal.throwIfAborted();
    if (isRedisAway(error)) throw error;
    scene.log.warn({ release: release.number, reason: describeError(error) }, "a failed release left files behind");
  }
}

function now({ clock }: PublishScene): string {
  return clock.now().toISOString();
}
