/** Releases, put together: asking and voting, publishing, nights, and looking after what is served. */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Audit } from "../audit/audit.ts";
import { claimBucket, claimBuckets } from "../bucket-owner.ts";
import type { Builds } from "../builds/builds.ts";
import type { Chat } from "../chat/chat.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Bring } from "../delivery/bring.ts";
import { UserError } from "../errors.ts";
import type { Subscriptions } from "../incidents/subscriptions.ts";
import type { Opened } from "../lifecycle.ts";
import type { OpenStore } from "../object-store.ts";
import { startReleaseExpiry } from "../releases/expire.ts";
import { readLatest } from "../releases/publish/latest.ts";
import type { NightScene } from "../releases/publish/night-release.ts";
import type { BucketScene, PublishScene } from "../releases/publish/scene.ts";
import { createVerifyRelease, type VerifyRelease } from "../releases/publish/verify-release.ts";
import { createReleases, type Releases } from "../releases/releases.ts";
import type { ReleaseStore } from "../releases/store.ts";
import type { Revisions } from "../revisions.ts";
import type { ContainerRuntime } from "../runtime.ts";
import type { OverdueScene } from "../schedules/overdue.ts";
import type { OpenSigner, VerifySignature } from "../signer.ts";
import type { ForgeApis } from "../triggers/forge-chat.ts";

/** How long the start waits for buckets to say whose they are; one that is away is asked again before anything is written there. */
const CLAIMING_MS = 10_000;
const PROBE_MS = 20_000;

/** What jobs/ brings, which main.ts hands in. */
export interface ReleaseJobs {
  startReleases(
    scene: PublishScene & { readonly chats: ReadonlyMap<string, Chat> },
  ): AsyncDisposable & { wake(): void };
  startNightReleases(
    scene: NightScene &
      OverdueScene & { readonly config: Config; readonly redis: Redis; readonly log: Logger; wake?(): void },
  ): AsyncDisposable;
  startVerifying(
    scene: OverdueScene & {
      readonly config: Config;
      readonly releases: Pick<ReleaseStore, "latest">;
      readonly verifyRelease: VerifyRelease;
      readonly redis: Redis;
      readonly log: Logger;
    },
  ): AsyncDisposable;
}

/** What reaches buckets and keys; loaded when it is first called. */
export interface ReleaseTools {
  readonly openStore: OpenStore;
  readonly openSigner: OpenSigner;
  readonly verifySignature: VerifySignature;
}

export interface ReleasesParts {
  readonly config: Config;
  readonly store: ReleaseStore;
  readonly builds: Builds;
  readonly revisions: Revisions | undefined;
  readonly runtime: ContainerRuntime | undefined;
  readonly redis: Redis;
  readonly subscriptions: Subscriptions;
  readonly audit: Audit;
  readonly chats: ReadonlyMap<string, Chat>;
  readonly forgeApis: ForgeApis | undefined;
  /** Missing where no worker on another machine leaves anything in a bucket. */
  readonly bring: Bring | undefined;
  /** Names this docker-ci's data folder. */
  readonly instance: string;
  readonly tools: ReleaseTools;
  /** Loaded only where releases are configured. */
  readonly loadJobs: () => Promise<ReleaseJobs>;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface OpenedReleases {
  readonly releases: Releases;
  /** Missing where no releases are configured. */
  readonly verifyRelease?: VerifyRelease;
  /** Begins to publish, to end what nobody approved in time, and to look after what is served. */
  begin(opened: Opened): Promise<void>;
}

/** Takes the buckets of the configuration for this deployment. @throws ConfigError when one belongs to another (O-130). */
export async function takeBuckets(config: Config, { openStore }: Pick<ReleaseTools, "openStore">): Promise<void> {
  if (config.releases.size === 0 && (config.backup?.targets.length ?? 0) === 0) return;
  await claimBuckets(config, openStore, AbortSignal.timeout(CLAIMING_MS));
}

export function openReleases(parts: ReleasesParts): OpenedReleases {
  const { config, store, builds, revisions, redis, clock, log } = parts;
  const { openStore, openSigner } = parts.tools;
  const releases = createReleases({
    ...parts,
    keyOf: async (release) => (await openSigner(release))?.key(AbortSignal.timeout(PROBE_MS)),
    async readLatest(project) {
      const release = config.releases.get(project);
      if (release === undefined) throw new UserError(`${project} is not set up for releases.`);
      await using bucket = await openStore(release.target);
      return await readLatest(bucket, release, project, { signal: AbortSignal.timeout(PROBE_MS) });
    },
    async probe({ target }) {
      await using bucket = await openStore(target);
      const signal = AbortSignal.timeout(PROBE_MS);
      await bucket.probe(signal);
      await claimBucket(bucket, config.deployment, signal);
    },
  });
  const bucketScene: BucketScene = { config, ...parts.tools };
  const verifyRelease = config.releases.size === 0 ? undefined : createVerifyRelease(bucketScene);
  return {
    releases,
    ...(verifyRelease && { verifyRelease }),
    async begin(opened) {
      if (verifyRelease === undefined) return;
      const { subscriptions } = parts;
      const jobs = await parts.loadJobs();
      opened.add("release expiry", startReleaseExpiry(releases, log));
      const timed = { config, subscriptions, redis, clock, log };
      const driver = opened.add(
        "releases",
        jobs.startReleases({
          ...timed,
          ...bucketScene,
          releases: store,
          builds,
          revisions,
          runtime: parts.runtime,
          claimBucket,
          forgeApis: parts.forgeApis,
          audit: parts.audit,
          ...(parts.bring && { bring: parts.bring }),
          instance: parts.instance,
          chats: parts.chats,
        }),
      );
      const nights = { ...timed, ...bucketScene, releases: store, builds, revisions, wake: () => driver.wake() };
      opened.add("release nights", jobs.startNightReleases(nights));
      opened.add("release verifying", jobs.startVerifying({ ...timed, releases: store, verifyRelease }));
    },
  };
}
