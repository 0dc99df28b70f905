/** Compares what a bucket serves of a version with the manifest that was signed: every object is read, and nothing is changed. */
import type { ProjectName } from "../../names.ts";
import type { ObjectStore } from "../../object-store.ts";
import { cleanName } from "../../results/clean-name.ts";
import type { SigningKey, VerifySignature } from "../../signer.ts";
import type { Version } from "../release.ts";
import { readSmall, sumOf } from "./bucket-files.ts";
import { checksumFiles } from "./checksums.ts";
import type { Place } from "./layout.ts";
import {
  KEY,
  MANIFEST,
  MANIFEST_SIGNATURE,
  type Manifest,
  OWN_NAMES,
  parseManifest,
  SUMS,
  SUMS_SIGNATURE,
  sha256Of,
  sumsText,
} from "./manifest.ts";

export interface Served {
  readonly store: ObjectStore;
  readonly place: Place;
  readonly project: ProjectName;
  readonly version: Version;
  /** The configured one; undefined: such releases are not signed. */
  readonly trusted: SigningKey | undefined;
  readonly verifySignature: VerifySignature;
}

export type Comparison =
  | {
      readonly kind: "same";
      readonly manifest: Manifest;
      /** Of the manifest as it is served. */
      readonly sha256: string;
      readonly bytes: number;
      /** Undefined where there is no signature. */
      readonly signedAt: Date | undefined;
    }
  /** Phrases: `docker-0.9.0.tgz has other content`. */
  | { readonly kind: "differs"; readonly problems: readonly string[] }
  /** Nothing at all stands there. */
  | { readonly kind: "absent" };

/** @throws RuntimeError for a bucket that does not answer. */
export async function compareServed(served: Served, signal: AbortSignal): Promise<Comparison> {
  const { store, place } = served;
  const there = new Set<string>();
  for await (const { key } of store.list(place.prefix, signal)) there.add(key.slice(place.prefix.length));
  if (there.size === 0) return { kind: "absent" };
  const signed = await signedManifest(served, signal);
  if ("problem" in signed) return { kind: "differs", problems: [signed.problem] };
  const { manifest } = signed;
  const problems = [
    ...(await textProblems(served, manifest, signal)),
    ...extraNames(there, manifest).map((name) => `${cleanName(name)} is there and no part of it`),
  ];
  for (const { name, sha256 } of manifest.files) {
    if (!there.has(name)) problems.push(`${cleanName(name)} is missing`);
    else if ((await sumOf(store, place.prefix + name, signal))?.sha256 !== sha256)
      problems.push(`${cleanName(name)} has other content`);
  }
  if (problems.length > 0) return { kind: "differs", problems };
  const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
  return { kind: "same", manifest, sha256: signed.sha256, bytes, signedAt: signed.signedAt };
}

type Signed =
  | { readonly problem: string }
  | { readonly manifest: Manifest; readonly sha256: string; readonly signedAt: Date | undefined };

/** The manifest, once its signature has been found good: before that nothing in it is believed. */
export async function signedManifest(served: Served, signal: AbortSignal): Promise<Signed> {
  const { store, place, project, version } = served;
  const found = await readSmall(store, place.prefix + MANIFEST, signal);
  if (found === undefined) return { problem: `${MANIFEST} is missing` };
  const signature = await signatureOf(
    served,
    { name: MANIFEST_SIGNATURE, of: MANIFEST, content: found.content },
    signal,
  );
  if ("problem" in signature) return signature;
  const manifest = parseManifest(found.content.toString());
  if (manifest === undefined) return { problem: `${MANIFEST} cannot be read` };
  if (manifest.project !== project || manifest.version !== version) {
    return { problem: `${MANIFEST} is that of ${manifest.project} ${manifest.version}` };
  }
  return { manifest, sha256: sha256Of(found.content), signedAt: signature.signedAt };
}

async function signatureOf(
  { store, place, trusted, verifySignature }: Served,
  { name, of, content }: { readonly name: string; readonly of: string; readonly content: Buffer },
  signal: AbortSignal,
): Promise<{ readonly problem: string } | { readonly signedAt: Date | undefined }> {
  if (trusted === undefined) return { signedAt: undefined };
  const signature = await readSmall(store, place.prefix + name, signal);
  if (signature === undefined) return { problem: `${name} is missing` };
  const verdict = await verifySignature(content, signature.content.toString(), trusted.publicKey, signal);
  if (verdict.kind === "good") return { signedAt: verdict.signedAt };
  return { problem: `the signature of ${of} is not good (${cleanName(verdict.reason)})` };
}

/** The sums, their signature, and the public key that people download. */
async function textProblems(served: Served, manifest: Manifest, signal: AbortSignal): Promise<string[]> {
  const { store, place, trusted } = served;
  const problems: string[] = [];
  for (const { name, text } of manifest.files.flatMap((file) => checksumFiles(file, manifest))) {
    const found = await readSmall(store, place.prefix + name, signal);
    if (found === undefined) problems.push(`${cleanName(name)} is missing`);
    else if (found.content.toString() !== text) problems.push(`${cleanName(name)} has other content`);
  }
  const sums = await readSmall(store, place.prefix + SUMS, signal);
  if (sums === undefined) problems.push(`${SUMS} is missing`);
  else if (sums.content.toString() !== sumsText(manifest.files)) problems.push(`${SUMS} has other content`);
  else {
    const signature = await signatureOf(served, { name: SUMS_SIGNATURE, of: SUMS, content: sums.content }, signal);
    if ("problem" in signature) problems.push(signature.problem);
  }
  if (trusted === undefined || manifest.key === undefined) return problems;
  const key = await sumOf(store, place.prefix + KEY, signal);
  if (key === undefined) problems.push(`${KEY} is missing`);
  else if (key.sha256 !== manifest.key.sha256) problems.push(`${KEY} has other content`);
  return problems;
}

/** Of the files, and of those that hold the sum of one. */
export function namesOf(manifest: Manifest): string[] {
  return manifest.files.flatMap((file) => [file.name, ...checksumFiles(file, manifest).map(({ name }) => name)]);
}

function extraNames(there: ReadonlySet<string>, manifest: Manifest): string[] {
  const known = new Set([...OWN_NAMES, ...namesOf(manifest)]);
  return [...there].filter((name) => !known.has(name)).sort();
}
