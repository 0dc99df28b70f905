/** What a published version says of itself: the sums of its files, and a manifest with where they come from and who agreed. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { ChecksumKind } from "../../config/releases.ts";
import { BuildNumber, GitRef, ProjectName, Sha } from "../../names.ts";
import { pathProblem } from "../../results/kept-path.ts";
import { type Release, ReleaseNumber, Version } from "../release.ts";

/** As `sha256sum` writes and checks it. */
export const SUMS = "SHA256SUMS";
export const SUMS_SIGNATURE = "SHA256SUMS.asc";
export const MANIFEST = "manifest.json";
export const MANIFEST_SIGNATURE = "manifest.json.asc";
export const KEY = "key.asc";
/** Names that no file of a release may have. */
export const OWN_NAMES: readonly string[] = [SUMS, SUMS_SIGNATURE, MANIFEST, MANIFEST_SIGNATURE, KEY];

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const ManifestFile = z.object({
  /** Below the version's folder. */
  name: z
    .string()
    .min(1)
    .refine((name) => pathProblem(name) === undefined),
  bytes: z.number().int().nonnegative(),
  sha256: Sha256,
  /** Where a file with it is published beside. */
  md5: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .optional(),
});
export type ManifestFile = z.infer<typeof ManifestFile>;

const Key = z.string().refine((key) => pathProblem(key) === undefined);

/** Keys that a later docker-ci adds are passed over. */
export const Manifest = z.object({
  project: ProjectName,
  version: Version,
  release: ReleaseNumber,
  origin: z.enum(["person", "nightly"]),
  revision: Sha,
  ref: GitRef,
  build: BuildNumber,
  builtAt: z.iso.datetime(),
  /** The build's tests did not decide. */
  testsSkipped: z.literal(true).optional(),
  requestedBy: z.string(),
  requestedAt: z.iso.datetime(),
  approvedBy: z.array(z.object({ name: z.string(), network: z.string(), at: z.iso.datetime() })),
  /** When publishing began. */
  publishedAt: z.iso.datetime(),
  /** Of what it is signed with, and of the file beside it; missing where no key is configured. */
  key: z.object({ fingerprint: z.string(), sha256: Sha256 }).optional(),
  files: z.array(ManifestFile),
  /** Of each file, beside it. */
  checksums: z.array(ChecksumKind).optional(),
  /** What else says so in the bucket while this is the latest version. */
  pointers: z
    .object({
      /** Of the files of these names. */
      copies: z.array(z.object({ key: Key, name: z.string() })),
      /** Objects without content that send a browser elsewhere. */
      redirects: z.array(z.object({ key: Key, to: z.string() })).default([]),
    })
    .optional(),
});
export type Manifest = z.infer<typeof Manifest>;

export interface ManifestParts {
  readonly release: Release;
  readonly startedAt: string;
  readonly build: { readonly number: BuildNumber; readonly finishedAt: string };
  readonly key: Manifest["key"];
  readonly files: readonly ManifestFile[];
  readonly checksums: readonly ChecksumKind[];
  readonly pointers: Manifest["pointers"];
}

/** Of the records alone: made again, it is the same to the byte. */
export function makeManifest({ release, startedAt, build, key, files, checksums, pointers }: ManifestParts): Manifest {
  const { plan, number, origin, requester, requestedAt, votes } = release;
  return {
    project: plan.project,
    version: plan.version,
    release: number,
    origin,
    revision: plan.sha,
    ref: plan.ref,
    build: build.number,
    builtAt: build.finishedAt,
    ...(plan.skipTests === true ? { testsSkipped: true } : {}),
    requestedBy: requester.name,
    requestedAt,
    approvedBy: votes.map(({ by, network, at }) => ({ name: by, network, at })),
    publishedAt: startedAt,
    ...(key === undefined ? {} : { key }),
    files: files.map(({ name, bytes, sha256, md5 }) => ({
      name,
      bytes,
      sha256,
      ...(md5 === undefined ? {} : { md5 }),
    })),
    ...(checksums.length === 0 ? {} : { checksums: [...checksums] }),
    ...(pointers === undefined ? {} : { pointers }),
  };
}

export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

/** @returns undefined for what is no manifest. */
export function parseManifest(text: string): Manifest | undefined {
  try {
    return Manifest.safeParse(JSON.parse(text)).data;
  } catch {
    // No JSON is no manifest either.
    return undefined;
  }
}

/** Two spaces: GNU's form for a file that is read as it is. */
export function sumsText(files: readonly ManifestFile[]): string {
  return files.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join("");
}

export function sha256Of(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
