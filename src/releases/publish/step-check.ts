/** Before anything is built: whether what was agreed to still stands, and whether it could be published at all. */
import { ConfigError, RuntimeError } from "../../errors.ts";
import { cleanName } from "../../results/clean-name.ts";
import { Version } from "../release.ts";
import { stillGood } from "../votes.ts";
import { type Latest, readLatest } from "./latest.ts";
import { isNight } from "./layout.ts";
import { type Publication, RefusedError } from "./scene.ts";

/** What `latest` said: the version and its etag, or nothing. It stands in the record. */
export type LatestBefore = Latest | undefined;

export function writtenLatest(before: LatestBefore): string {
  return before === undefined ? "" : `${before.version} ${before.etag}`;
}

export function readWrittenLatest(text: string | undefined): LatestBefore {
  const [, written, etag] = /^(\S+) (.+)$/s.exec(text ?? "") ?? [];
  const version = Version.safeParse(written);
  return !version.success || etag === undefined ? undefined : { version: version.data, etag };
}

export async function check(publication: Publication): Promise<void> {
  const { release, config, store, signal } = publication;
  await checkAgreed(publication);
  await store.probe(signal);
  await claim(publication);
  const { project, version, kind } = release.plan;
  const latest = await readLatest(store, config, project, { of: isNight(version) ? "nightly" : "release", signal });
  if (kind === "release") {
    if (latest?.version === version) throw final(`${project} ${version} is the latest already`);
    await checkEmpty(publication);
  }
  await publication.note({ latestBefore: writtenLatest(latest) });
}

/** Asked in the beginning, and once more before `latest` moves: a restart in between may have brought another configuration. */
export async function checkAgreed(publication: Publication): Promise<void> {
  const { scene, release } = publication;
  const standing = stillGood(release, scene.config, scene.clock.now());
  if (!standing.good) throw new RefusedError(standing.refused);
  await checkKey(publication);
}

/** Staging never writes to what is production's. */
async function claim({ scene, store, signal }: Publication): Promise<void> {
  try {
    await scene.claimBucket(store, scene.config.deployment, signal);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new RuntimeError(error.problems[0] ?? error.message, { cause: error, retryable: false });
  }
}

/** What is published is signed with the key that people agreed to, which is the one that is verified with later. */
async function checkKey({ signer, release, signal }: Publication): Promise<void> {
  const fingerprint = (await signer?.key(signal))?.fingerprint;
  const { key } = release.plan;
  if (fingerprint === key) return;
  if (key === undefined) throw new RefusedError("a key to sign with was configured since it was asked for");
  throw new RefusedError(
    fingerprint === undefined
      ? "no key to sign with is configured any more"
      : `the key to sign with is ${fingerprint.slice(-16)} and not ${key.slice(-16)}`,
  );
}

/** A version is published once: where something stands in its place that is not what an earlier try left, nothing begins. */
async function checkEmpty({ store, place, unfinished, signal }: Publication): Promise<void> {
  await unfinished.remove(store, signal);
  for await (const { key } of store.list(place.prefix, signal)) {
    throw final(`${store.name}/${cleanName(key)} is there already, and a version that was published never changes`);
  }
}

function final(message: string): RuntimeError {
  return new RuntimeError(message, { retryable: false });
}
