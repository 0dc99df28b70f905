/** Releases behind real records, with a bucket, a key and a repository that a test can change while people vote. */
import { createAudit } from "../../src/audit/audit.ts";
import type { Clock } from "../../src/clock.ts";
import { createSubscriptions } from "../../src/incidents/subscriptions.ts";
import { createReleaseStore } from "../../src/releases/redis-store.ts";
import { Version } from "../../src/releases/release.ts";
import { createReleases, type Releases, type ReleasesDeps } from "../../src/releases/releases.ts";
import type { ReleaseStore } from "../../src/releases/store.ts";
import type { Revisions } from "../../src/revisions.ts";
import { clock, type Records, revisions } from "./records.ts";

export const FINGERPRINT = "5E3C45D7B312C643A1B2C3D4E5F60718293A4B5C";

export interface ReleaseWorld {
  /** What `latest` says. */
  latest?: string | undefined;
  /** Thrown in place of it. */
  bucketTrouble?: Error | undefined;
  /** Thrown when it is asked whether the bucket may be written to. */
  probeTrouble?: Error | undefined;
  /** Undefined where none is configured. */
  key?: string | undefined;
  revisions?: Revisions | undefined;
}

export function openReleases(
  { config, builds, redis, log }: Pick<Records, "config" | "builds" | "redis" | "log">,
  world: ReleaseWorld = { key: FINGERPRINT, revisions },
  time: Clock = clock,
): { readonly releases: Releases; readonly store: ReleaseStore; readonly deps: ReleasesDeps } {
  const store = createReleaseStore(redis.commands, log);
  const deps: ReleasesDeps = {
    config,
    store,
    builds,
    get revisions() {
      return world.revisions;
    },
    keyOf: async () => (world.key === undefined ? undefined : { fingerprint: world.key }),
    async readLatest() {
      if (world.bucketTrouble !== undefined) throw world.bucketTrouble;
      return world.latest === undefined ? undefined : { version: Version.parse(world.latest) };
    },
    async probe() {
      if (world.probeTrouble !== undefined) throw world.probeTrouble;
    },
    redis: redis.commands,
    subscriptions: createSubscriptions(redis.commands, time),
    audit: createAudit(redis.commands, time),
    clock: time,
    log,
  };
  return { releases: createReleases(deps), store, deps };
}
