/** A process that publishes what has its approvals, for a test to kill: its one argument is JSON of what it takes. */
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { pino } from "pino";
import { z } from "zod";
import { startReleases } from "../../jobs/release.ts";
import { createBuilds } from "../../src/builds/builds.ts";
import { createBuildStore } from "../../src/builds/store.ts";
import { createBuildQueue } from "../../src/queue/build-queue.ts";
import { createReleaseStore } from "../../src/releases/redis-store.ts";
import { PublishStep } from "../../src/releases/release.ts";
import type { ReleaseStore } from "../../src/releases/store.ts";
import { quickSigner } from "./quick-signer.ts";
import { configOf, revisionOf, revisions } from "./records.ts";
import { releaseConfig, releaseScene, revisionsOf, withPuts } from "./release-site.ts";

/** Where it kills itself, which is as sudden as being killed by somebody else, and happens at that very moment. */
export const Kill = z.union([
  /** The step is recorded, and nothing of it is done. */
  z.strictObject({ recorded: PublishStep }),
  /** The step before is done, and this one is not recorded. */
  z.strictObject({ unrecorded: PublishStep }),
  /** The object was put, and its answer was heard. */
  z.strictObject({ put: z.string() }),
  /** Its upload has begun. */
  z.strictObject({ during: z.string() }),
  z.strictObject({ afterMs: z.number() }),
]);
export type Kill = z.infer<typeof Kill>;

const Given = z.strictObject({
  redisPath: z.string(),
  endpoint: z.string(),
  dataDir: z.string(),
  privateKey: z.string(),
  /** Further keys of the release. */
  more: z.string(),
  kill: Kill.optional(),
});
export type GivenToKilled = z.infer<typeof Given>;

function die(): void {
  process.kill(process.pid, "SIGKILL");
}

/** Dies where a state is written, before or after that. */
function mortal(store: ReleaseStore, kill: Kill | undefined): ReleaseStore {
  return {
    ...store,
    async change(before, changes, announce) {
      const { state } = changes;
      const step = state?.kind === "publishing" ? state.step : undefined;
      const isNew = before.state.kind === "publishing" && step !== before.state.step;
      if (kill !== undefined && "unrecorded" in kill && isNew && step === kill.unrecorded) die();
      const next = await store.change(before, changes, announce);
      if (kill !== undefined && "recorded" in kill && step === kill.recorded) die();
      return next;
    },
  };
}

async function run({ redisPath, endpoint, dataDir, privateKey, more, kill }: GivenToKilled): Promise<void> {
  const log = pino({ level: "silent" });
  const redis = new Redis({ path: redisPath, maxRetriesPerRequest: null });
  const config = configOf(releaseConfig(endpoint, dataDir, more));
  const store = createBuildStore(redis);
  const queue = createBuildQueue(redis.duplicate(), store, log);
  const clock = { now: () => new Date() };
  const builds = createBuilds({ config, store, queue, revisions, redis, clock, log });
  const signing = quickSigner(privateKey);
  const releases = mortal(createReleaseStore(redis, log), kill);
  const scene = releaseScene({
    config,
    redis,
    builds,
    releases,
    signing,
    log,
    revisions: revisionsOf(revisionOf("6")),
  });
  const isMeant = (key: string, part: string | undefined): boolean => part !== undefined && key.endsWith(part);
  const dieAt = {
    before: async (key: string) => {
      if (kill !== undefined && "during" in kill && isMeant(key, kill.during)) setTimeout(die, 3);
    },
    after: async (key: string) => {
      if (kill !== undefined && "put" in kill && isMeant(key, kill.put)) die();
    },
  };
  if (kill !== undefined && "afterMs" in kill) setTimeout(die, kill.afterMs);
  startReleases(withPuts(scene, dieAt));
  while ((await releases.open()).length > 0) await sleep(10);
  process.exit(0);
}

const [, , given] = process.argv;
if (given?.startsWith("{") === true) await run(Given.parse(JSON.parse(given)));
