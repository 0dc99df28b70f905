/** What `docker-ci check` says of releases and backups: whether their buckets may be written to, and how long their keys sign. */
import { isClaimed, type UsedBucket } from "../bucket-owner.ts";
import type { Bucket, Deployment, ReleaseConfig } from "../config.ts";
import { RuntimeError } from "../errors.ts";
import type { ProjectName } from "../names.ts";
import { cleanName } from "../results/clean-name.ts";
import { formatAge } from "../units.ts";
import type { Adapters } from "./adapters.ts";
import { DEADLINE_MS, type Row, reason } from "./check-row.ts";

const DAY_MS = 24 * 60 * 60_000;
/** Whoever installs what was signed has to be given the next key before that. */
const EXPIRES_SOON_MS = 30 * DAY_MS;
/** Of a fingerprint: what people call a key. */
const KEY_ID_DIGITS = 16;

export function bucketLabel({ bucket }: Pick<Bucket, "bucket">): string {
  return `bucket s3://${bucket}`;
}

/** Writes nothing there, not even whose it is: the first start does. */
export async function checkBucket(
  adapters: Pick<Adapters, "openStore">,
  deployment: Deployment,
  { bucket, uses }: UsedBucket,
  print: (row: Row) => void,
): Promise<void> {
  const what = bucketLabel(bucket);
  try {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    await using store = await adapters.openStore(bucket);
    await store.probe(signal);
    const whose = (await isClaimed(store, deployment, signal)) ? "" : "; nobody's yet, and the next start takes it";
    print({ what, state: "works", detail: `for ${uses.join(", ")}${whose}` });
  } catch (error) {
    print({ what, state: "fails", detail: sentence(error).replace(`s3://${bucket.bucket}: `, "") });
  }
}

/** The key is read, and unlocked where it has a passphrase. */
export async function checkSigningKey(
  adapters: Pick<Adapters, "openSigner">,
  project: ProjectName,
  release: ReleaseConfig,
  print: (row: Row) => void,
): Promise<void> {
  const what = `key of ${project}`;
  try {
    const signer = await adapters.openSigner(release);
    if (signer === undefined) {
      print({ what, state: "works", detail: "none is configured, so releases have sums and no signature" });
      return;
    }
    const { fingerprint, userId, expiresAt } = await signer.key(AbortSignal.timeout(DEADLINE_MS));
    const name = `${fingerprint.slice(-KEY_ID_DIGITS)}, ${cleanName(userId)}`;
    print({ what, ...expiry(name, expiresAt, Date.now()) });
  } catch (error) {
    print({ what, state: "fails", detail: sentence(error) });
  }
}

function expiry(name: string, at: Date | undefined, nowMs: number): Pick<Row, "state" | "detail"> {
  if (at === undefined) return { state: "works", detail: `${name}, never expires` };
  const leftMs = at.getTime() - nowMs;
  const detail = `${name}, expires on ${at.toISOString().slice(0, 10)}`;
  if (leftMs > EXPIRES_SOON_MS) return { state: "works", detail };
  return { state: "warning", detail: `${detail}, in ${formatAge(leftMs)}: extend it, or announce the next one` };
}

/** What stands behind it (the server's own words, a stack) says nothing more to whoever checks. */
function sentence(error: unknown): string {
  return error instanceof RuntimeError ? error.message : reason(error);
}
