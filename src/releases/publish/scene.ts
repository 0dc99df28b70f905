/** What publishing needs, and a release as its steps see it. */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Audit } from "../../audit/audit.ts";
import type { Builds } from "../../builds/builds.ts";
import type { Clock } from "../../clock.ts";
import type { Config, Deployment, Forge, Project, ReleaseConfig } from "../../config.ts";
import type { ForgeApi } from "../../forge.ts";
import type { Subscriptions } from "../../incidents/subscriptions.ts";
import type { ObjectStore, OpenStore } from "../../object-store.ts";
import type { Revisions } from "../../revisions.ts";
import type { ContainerRuntime } from "../../runtime.ts";
import type { OpenSigner, Signer, VerifySignature } from "../../signer.ts";
import type { PublishStep, Release, ReleaseState } from "../release.ts";
import type { ReleaseStore } from "../store.ts";
import type { Place } from "./layout.ts";
import type { Unfinished } from "./unfinished.ts";

/** What the bucket's owner is asked with (src/bucket-owner.ts). @throws ConfigError where another deployment owns it. */
export type ClaimBucket = (store: ObjectStore, deployment: Deployment, signal: AbortSignal) => Promise<void>;

/** What looking at a bucket takes. */
export interface BucketScene {
  readonly config: Config;
  readonly openStore: OpenStore;
  readonly openSigner: OpenSigner;
  readonly verifySignature: VerifySignature;
}

export interface PublishScene extends BucketScene {
  readonly releases: ReleaseStore;
  readonly builds: Pick<Builds, "get" | "request">;
  /** Missing in a process that has no engine. */
  readonly revisions: Pick<Revisions, "resolve" | "tag"> | undefined;
  /** Missing likewise. */
  readonly runtime: ContainerRuntime | undefined;
  /** Names this docker-ci's data folder, and what it leaves on an engine. */
  readonly instance: string;
  readonly claimBucket: ClaimBucket;
  /** Gives the one that speaks with a forge; undefined where there is none, or no token for it. */
  readonly forgeApis: ((forge: Forge) => ForgeApi | undefined) | undefined;
  /** Fetches what a worker elsewhere left behind (src/delivery/bring.ts); missing where all of it is here. */
  bring?(build: number, area: "artifacts"): Promise<void>;
  readonly audit: Pick<Audit, "record">;
  readonly subscriptions: Subscriptions;
  readonly redis: Redis;
  readonly clock: Clock;
  readonly log: Logger;
  /** Before a step that could not be done is tried again, in milliseconds, one for each time. */
  readonly retriesMs?: readonly number[];
  /** How often a build that is waited for is looked at. */
  readonly buildLookMs?: number;
}

export type Publishing = Extract<ReleaseState, { kind: "publishing" }>;
export type PublishingRelease = Release & { readonly state: Publishing };

export function isPublishing(release: Release): release is PublishingRelease {
  return release.state.kind === "publishing";
}

/** A release under way. */
export interface Publication {
  readonly scene: PublishScene;
  readonly config: ReleaseConfig;
  readonly project: Project;
  readonly place: Place;
  readonly store: ObjectStore;
  /** Undefined where no key is configured. */
  readonly signer: Signer | undefined;
  readonly unfinished: Unfinished;
  readonly signal: AbortSignal;
  /** The record as it was written last. */
  readonly release: PublishingRelease;
  /** Sentences of what did not work besides. */
  readonly warnings: string[];
  /** Writes into the record before anything goes on. @throws OvertakenError when somebody else changed it. */
  note(changes: Partial<Pick<Publishing, "build" | "latestBefore">> & { readonly step?: PublishStep }): Promise<void>;
}

/** The record is not as it was read: another process has it, or somebody ended it. */
export class OvertakenError extends Error {
  override readonly name = "OvertakenError";
}

/** The release is not what was agreed to any more. The message is a phrase. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
}
