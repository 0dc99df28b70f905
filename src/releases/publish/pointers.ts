/**
 * What follows `latest`: copies of the latest version's files under names that stay (O-94). They are named in the signed manifest of
 * the version, and are put where they are missing or other: done again after a crash, or for an older version, it comes to the same.
 */
import type { ReleaseConfig } from "../../config.ts";
import { RuntimeError } from "../../errors.ts";
import type { ProjectName } from "../../names.ts";
import type { ObjectStore } from "../../object-store.ts";
import { cleanName } from "../../results/clean-name.ts";
import { pathProblem } from "../../results/kept-path.ts";
import type { Version } from "../release.ts";
import { sumOf } from "./bucket-files.ts";
import { checksumFiles } from "./checksums.ts";
import { signedManifest } from "./compare.ts";
import { filled, isOfVersion, type Place, placeOf } from "./layout.ts";
import { type Manifest, type ManifestFile, sha256Of } from "./manifest.ts";
import type { Publication } from "./scene.ts";
import { servedBy, servedManifest } from "./step-bucket.ts";
import { readWrittenLatest } from "./step-check.ts";

const TEXT = "text/plain; charset=utf-8";

/** An object that follows `latest`, and what it is while a version is that. */
export interface Pointer {
  readonly key: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly content: { readonly copyOf: string } | { readonly text: string };
}

/** As a manifest names them. @throws RuntimeError for what would stand in the way of something else. */
export function pointersFor(
  place: Place,
  config: ReleaseConfig,
  { project, files }: { readonly project: ProjectName; readonly files: readonly ManifestFile[] },
): Manifest["pointers"] {
  const { latestFiles, version, latestKey } = place;
  if (latestFiles === undefined) return undefined;
  const taken = new Set([latestKey]);
  const copies = files.map(({ name }) => {
    const key = filled(latestFiles, { file: latestName(name, version) });
    const problem = pathProblem(key);
    const trouble =
      problem !== undefined
        ? `that ${problem}`
        : taken.has(key)
          ? "something else goes there"
          : isOfVersion(config, project, key)
            ? "a version lies there"
            : undefined;
    if (trouble !== undefined) {
      const message = `the latest ${cleanName(name)} cannot stand at ${cleanName(key)}: ${trouble}`;
      throw new RuntimeError(message, { retryable: false });
    }
    taken.add(key);
    return { key, name };
  });
  return { copies };
}

/** `docker-0.9.0.tgz` is `docker-latest.tgz`; a name without the version is as it is. */
export function latestName(name: string, version: Version): string {
  const escaped = version.replaceAll(".", "\\.");
  return name.replace(new RegExp(`(?:(?<![0-9A-Za-z])v|(?<![0-9.]))${escaped}(?!\\.?[0-9])`, "g"), "latest");
}

/** The objects themselves. */
export function pointersOf(manifest: Manifest, { prefix }: Pick<Place, "prefix">): Pointer[] {
  return (manifest.pointers?.copies ?? []).flatMap(({ key, name }): Pointer[] => {
    const file = manifest.files.find((each) => each.name === name);
    if (file === undefined) return [];
    const { bytes, sha256 } = file;
    const sums = checksumFiles(file, manifest, key).map(({ name: at, text }) => textPointer(at, text));
    return [{ key, bytes, sha256, content: { copyOf: prefix + name } }, ...sums];
  });
}

function textPointer(key: string, text: string): Pointer {
  return { key, bytes: Buffer.byteLength(text), sha256: sha256Of(text), content: { text } };
}

/**
 * Brings what follows `latest` to the version that it names, and takes away what only the version before had. Every object is whole
 * at any moment: the one before, or this one.
 */
export async function movePointers(publication: Publication): Promise<void> {
  const { store, place, signal, config, release } = publication;
  const { manifest } = await servedManifest(publication);
  const { project } = release.plan;
  // One that was published before anything followed `latest` names nothing.
  const pointers = manifest.pointers ?? pointersFor(place, config, { project, files: manifest.files });
  const now = pointersOf({ ...manifest, pointers }, place);
  for (const pointer of now) {
    if (await stands(store, pointer, signal)) continue;
    await put(store, pointer, signal);
    if (await stands(store, pointer, signal)) continue;
    const message = `${store.name}/${cleanName(pointer.key)} is not as it was put there`;
    throw new RuntimeError(message, { retryable: false });
  }
  const keys = new Set(now.map(({ key }) => key));
  for (const pointer of await pointersBefore(publication)) {
    if (!keys.has(pointer.key) && (await stands(store, pointer, signal))) await store.remove(pointer.key, signal);
  }
}

/** What of them is not as the manifest says, in phrases. */
export async function pointerProblems(
  store: ObjectStore,
  pointers: readonly Pointer[],
  signal: AbortSignal,
): Promise<string[]> {
  const problems: string[] = [];
  for (const { key, sha256 } of pointers) {
    const found = await sumOf(store, key, signal);
    if (found === undefined) problems.push(`${cleanName(key)} is missing`);
    else if (found.sha256 !== sha256) problems.push(`${cleanName(key)} is not that of the latest version`);
  }
  return problems;
}

async function stands(store: ObjectStore, { key, bytes, sha256 }: Pointer, signal: AbortSignal): Promise<boolean> {
  const head = await store.head(key, signal);
  return head?.bytes === bytes && (await sumOf(store, key, signal))?.sha256 === sha256;
}

async function put(store: ObjectStore, { key, content, sha256 }: Pointer, signal: AbortSignal): Promise<void> {
  if ("copyOf" in content) return store.copy(content.copyOf, key, signal);
  await store.put(key, Buffer.from(content.text), { contentType: TEXT, sha256 }, signal);
}

/** Those of the version that `latest` named in the beginning, as far as its manifest can be believed. */
async function pointersBefore(publication: Publication): Promise<Pointer[]> {
  const { release, config, signal } = publication;
  const before = readWrittenLatest(release.state.latestBefore);
  const { project } = release.plan;
  const version = before?.version;
  if (version === undefined || version === release.plan.version) return [];
  const place = placeOf(config, project, version);
  const signed = await signedManifest({ ...(await servedBy(publication)), place, version }, signal);
  return "problem" in signed ? [] : pointersOf(signed.manifest, place);
}
