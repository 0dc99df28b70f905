/**
 * The job that publishes what has its approvals: of each project one release at a time, under a lease, whoever runs and restarts
 * meanwhile. It looks every few seconds, and at once when it is woken.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { progressBar } from "../src/builds/progress.ts";
import type { Chat } from "../src/chat/chat.ts";
import { line } from "../src/chat/reply.ts";
import { describeError } from "../src/errors.ts";
import type { ProjectName } from "../src/names.ts";
import { takeLease } from "../src/releases/publish/lease.ts";
import { type OnProgress, publish } from "../src/releases/publish/publish.ts";
import { isPublishing, type PublishingRelease, type PublishScene } from "../src/releases/publish/scene.ts";
import { cardReply, releaseKey } from "../src/releases/words.ts";
import { formatBytes } from "../src/units.ts";

const LOOK_MS = 3_000;
const LEASE_MS = 30_000;
/** After something that was not foreseen. */
const AGAIN_MS = 30_000;
const STOP_MS = 5_000;
const SHOWN_EVERY_MS = 1_000;

export interface ReleaseScene extends PublishScene {
  readonly chats: ReadonlyMap<string, Chat>;
  readonly lookMs?: number;
  readonly leaseMs?: number;
}

export interface ReleaseDriver extends AsyncDisposable {
  /** Something has changed: looks now. */
  wake(): void;
}

export function startReleases(scene: ReleaseScene): ReleaseDriver {
  const { log, releases, lookMs = LOOK_MS } = scene;
  const stopping = new AbortController();
  const active = new Map<ProjectName, Promise<void>>();
  const notBefore = new Map<ProjectName, number>();
  let looking: Promise<void> | undefined;
  let isWoken = false;

  const work = async (release: PublishingRelease): Promise<void> => {
    const { project } = release.plan;
    try {
      await publishOne(scene, release, stopping.signal);
    } catch (error) {
      if (stopping.signal.aborted) return;
      notBefore.set(project, Date.now() + (scene.leaseMs ?? AGAIN_MS));
      log.warn({ release: release.number, reason: describeError(error) }, "a release was interrupted");
    } finally {
      active.delete(project);
    }
    // The next one of the project, where there is one.
    driver.wake();
  };
  const look = async (): Promise<void> => {
    for (const release of await releases.open()) {
      const { project } = release.plan;
      if (stopping.signal.aborted || !isPublishing(release) || active.has(project)) continue;
      if (Date.now() < (notBefore.get(project) ?? 0)) continue;
      active.set(project, work(release));
    }
  };
  const driver: ReleaseDriver = {
    wake() {
      if (stopping.signal.aborted) return;
      if (looking !== undefined) {
        isWoken = true;
        return;
      }
      isWoken = false;
      looking = look()
        .catch((error: unknown) => log.warn({ reason: describeError(error) }, "could not look for releases"))
        .finally(() => {
          looking = undefined;
          if (isWoken) driver.wake();
        });
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      stopping.abort();
      await Promise.race([
        Promise.allSettled([looking, ...active.values()]),
        sleep(STOP_MS, undefined, { ref: false }),
      ]);
    },
  };
  const timer = setInterval(() => driver.wake(), lookMs);
  timer.unref();
  driver.wake();
  return driver;
}

/** Under the project's lease; while another process has it, nothing is done. */
async function publishOne(scene: ReleaseScene, found: PublishingRelease, stopping: AbortSignal): Promise<void> {
  const { redis, instance, leaseMs = LEASE_MS, releases } = scene;
  await using lease = await takeLease(redis, found.plan.project, instance, leaseMs);
  if (lease === undefined) return;
  // As it is now: another one may have had it until a moment ago.
  const release = await releases.get(found.number);
  if (release === undefined || !isPublishing(release)) return;
  await publish(scene, release, AbortSignal.any([stopping, lease.signal]), showUpload(scene));
}

/** How far an upload is, behind the step, where a chat can show a message that changes. */
function showUpload({ chats, config }: Pick<ReleaseScene, "chats" | "config">): OnProgress {
  let shownAt = 0;
  return (release, { bytes, ofBytes }) => {
    if (Date.now() - shownAt < SHOWN_EVERY_MS) return;
    shownAt = Date.now();
    const { room } = release.requester;
    const card = cardReply(release, config);
    const [head = line("running", []), ...rest] = card.lines;
    const bar = `${progressBar(ofBytes === 0 ? 1 : bytes / ofBytes)} ${formatBytes(bytes)} of ${formatBytes(ofBytes)}`;
    const lines = [{ ...head, facts: [...head.facts, bar] }, ...rest];
    chats.get(room.network)?.progress?.(room, releaseKey(release), { ...card, lines });
  };
}
