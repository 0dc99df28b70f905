/** Whose a bucket is: the deployment's that wrote there first. So a staging docker-ci can never publish to production's (O-130). */
import { text } from "node:stream/consumers";
import type { Bucket, Config, Deployment } from "./config.ts";
import { ConfigError } from "./errors.ts";
import { type ObjectStore, type OpenStore, PreconditionError } from "./object-store.ts";
import { cleanName } from "./results/clean-name.ts";

export const OWNER_KEY = ".docker-ci-owner";

const OWNER_BYTES_MAX = 200;

/**
 * Takes a bucket that is nobody's, and is content with one that is ours. To be asked before anything is written: it costs one read.
 * @throws ConfigError when it belongs to another deployment; RuntimeError when it cannot be asked.
 */
export async function claimBucket(store: ObjectStore, deployment: Deployment, signal: AbortSignal): Promise<void> {
  if (await isClaimed(store, deployment, signal)) return;
  try {
    await store.put(OWNER_KEY, Buffer.from(deployment), { contentType: "text/plain", onlyIf: "absent" }, signal);
  } catch (error) {
    // Another one was quicker: it may have been ours, started twice.
    if (!(error instanceof PreconditionError)) throw error;
    if (!(await isClaimed(store, deployment, signal))) throw foreign(store, "?", deployment);
  }
}

/**
 * Looks, and writes nothing. @returns false for a bucket that is nobody's yet.
 * @throws ConfigError when it belongs to another deployment; RuntimeError when it cannot be asked.
 */
export async function isClaimed(store: ObjectStore, deployment: Deployment, signal: AbortSignal): Promise<boolean> {
  const owner = await readOwner(store, signal);
  if (owner !== undefined && owner !== deployment) throw foreign(store, owner, deployment);
  return owner !== undefined;
}

/** `production`, or whatever else stands there; undefined where nobody has claimed it. */
async function readOwner(store: ObjectStore, signal: AbortSignal): Promise<string | undefined> {
  const found = await store.get(OWNER_KEY, signal);
  if (found === undefined) return undefined;
  if (found.bytes <= OWNER_BYTES_MAX) return cleanName(await text(found.content));
  found.content.destroy();
  return "unknown";
}

function foreign({ name }: ObjectStore, owner: string, deployment: Deployment): ConfigError {
  return new ConfigError(
    `${name} belongs to the ${owner} docker-ci; this is ${deployment}: give it a bucket of its own`,
    [],
  );
}

/** One bucket of the configuration, with everything that it is for: `releases of docker`, `nights of docker`, `backups`. */
export interface UsedBucket {
  readonly bucket: Bucket;
  readonly uses: readonly string[];
}

/** Each once, in the order of the file: within one docker-ci, several things may share a bucket. */
export function bucketsOf({ releases, backup }: Pick<Config, "releases" | "backup">): readonly UsedBucket[] {
  const named: [Bucket, string][] = [];
  for (const [project, { target, nightly }] of releases) {
    named.push([target, `releases of ${project}`]);
    if (nightly !== undefined) named.push([nightly.target ?? target, `nights of ${project}`]);
  }
  for (const target of backup?.targets ?? []) named.push([target, "backups"]);
  const used = new Map<string, { bucket: Bucket; uses: string[] }>();
  for (const [bucket, use] of named) {
    // With other keys it is the same bucket and another way into it, which is to be tried by itself.
    const identity = [bucket.endpoint, bucket.bucket, bucket.accessKey?.reveal(), bucket.secretKey?.reveal()].join(
      "\0",
    );
    const known = used.get(identity);
    if (known === undefined) used.set(identity, { bucket, uses: [use] });
    else known.uses.push(use);
  }
  return [...used.values()];
}

/**
 * For the start: claims every bucket that can be reached. One that cannot is asked again before something is written there.
 * @throws ConfigError with a sentence for each bucket that belongs to another deployment.
 */
export async function claimBuckets(
  config: Pick<Config, "releases" | "backup" | "deployment">,
  openStore: OpenStore,
  signal: AbortSignal,
): Promise<void> {
  const asked = bucketsOf(config).map(async ({ bucket }) => {
    await using store = await openStore(bucket);
    await claimBucket(store, config.deployment, signal);
  });
  const problems = (await Promise.allSettled(asked)).flatMap((one) =>
    one.status === "rejected" && one.reason instanceof ConfigError ? [one.reason.message] : [],
  );
  if (problems.length > 0) throw new ConfigError("The configuration cannot be used:", problems);
}
