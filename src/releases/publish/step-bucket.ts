/** The steps in the bucket: everything is put there, read back, and named as the latest. */
import { RuntimeError } from "../../errors.ts";
import { PreconditionError } from "../../object-store.ts";
import type { Version } from "../release.ts";
import { type Comparison, compareServed, type Served, signedManifest } from "./compare.ts";
import { type Latest, readLatest, writeLatest } from "./latest.ts";
import { isNight } from "./layout.ts";
import type { Manifest } from "./manifest.ts";
import type { Publication } from "./scene.ts";
import { checkAgreed, readWrittenLatest } from "./step-check.ts";
import { type Upload, upload } from "./upload.ts";

/** So many problems are told in a room. */
const TOLD = 5;

export interface UploadProgress {
  readonly bytes: number;
  readonly ofBytes: number;
}

export async function putAll(
  { scene, store, place, unfinished, signal }: Publication,
  uploads: readonly Upload[],
  onProgress: (progress: UploadProgress) => void,
): Promise<void> {
  const ofBytes = uploads.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  // Parts that a process left which was killed in the middle of one: nobody else puts anything there.
  await store.abandonUploads(place.prefix, scene.clock.now(), signal);
  for (const content of uploads) {
    const before = done;
    const key = place.prefix + content.name;
    const told = (bytes: number): void => onProgress({ bytes: before + bytes, ofBytes });
    await upload({ store, key, unfinished, onProgress: told }, content, signal);
    done += content.bytes;
    onProgress({ bytes: done, ofBytes });
  }
}

/** Reads back all that stands there. @throws RuntimeError with what is not as it was signed. */
export async function readBack(publication: Publication): Promise<void> {
  const { project, version, kind } = publication.release.plan;
  const compared = await compareServed(await servedBy(publication), publication.signal);
  if (compared.kind !== "same")
    throw wrong(`${project} ${version} is not as it was signed: ${differenceWords(compared)}`);
  if (kind === "release" && compared.manifest.release !== publication.release.number) {
    throw wrong(`${publication.place.target} is that of R${compared.manifest.release}`);
  }
}

/** The manifest as it is served, found good once more. */
export async function servedManifest(
  publication: Publication,
): Promise<{ readonly manifest: Manifest; readonly sha256: string }> {
  const signed = await signedManifest(await servedBy(publication), publication.signal);
  if ("problem" in signed) throw wrong(signed.problem);
  return signed;
}

/** Moves `latest` on from what it said in the beginning; done already, it is done. */
export async function moveLatest(publication: Publication): Promise<void> {
  const { store, place, release, signal } = publication;
  const { version } = release.plan;
  if ((await latestNow(publication))?.version === version) return;
  await checkAgreed(publication);
  const before = readWrittenLatest(release.state.latestBefore);
  try {
    await writeLatest(store, place.latestKey, { version, before: before?.etag }, signal);
  } catch (error) {
    if (!(error instanceof PreconditionError)) throw error;
    const now = await latestNow(publication);
    // Ours after all, where the answer to an earlier try was lost on the way.
    if (now?.version === version) return;
    throw wrong(`${store.name}/${place.latestKey} says ${now?.version ?? "nothing"} by now: somebody else moved it`);
  }
}

export function latestNow({ store, config, release, signal }: Publication): Promise<Latest | undefined> {
  const { project, version } = release.plan;
  return readLatest(store, config, project, { of: isNight(version) ? "nightly" : "release", signal });
}

/** `docker-0.9.0.tgz has other content, key.asc is missing` */
export function differenceWords(compared: Exclude<Comparison, { kind: "same" }>): string {
  if (compared.kind === "absent") return "there is nothing";
  const told = compared.problems.slice(0, TOLD).join(", ");
  const more = compared.problems.length - TOLD;
  return more > 0 ? `${told} and ${more} more` : told;
}

/** A version as it is compared, here the one that is published. */
export async function servedBy({ scene, store, place, release, signer, signal }: Publication): Promise<Served> {
  const { project, version }: { project: Served["project"]; version: Version } = release.plan;
  const trusted = await signer?.key(signal);
  return { store, place, project, version, trusted, verifySignature: scene.verifySignature };
}

function wrong(message: string): RuntimeError {
  return new RuntimeError(message, { retryable: false });
}
