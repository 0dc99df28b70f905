/**
 * What follows `latest`: copies of the latest version's files under names that stay, texts about it, and redirects (O-94). They are
 * named in the signed manifest of the version, so that for an older one, or after a crash, it comes to the same.
 */
import type { ReleaseConfig } from "../../config.ts";
import { RuntimeError } from "../../errors.ts";
import type { ProjectName } from "../../names.ts";
import { cleanName } from "../../results/clean-name.ts";
import { pathProblem } from "../../results/kept-path.ts";
import type { Version } from "../release.ts";
import { checksumFiles, checksumName } from "./checksums.ts";
import type { CollectedFile } from "./collect.ts";
import { filled, isNight, isOfVersion, type Place } from "./layout.ts";
import { type Manifest, type ManifestFile, sha256Of } from "./manifest.ts";

/** An object that follows `latest`, and what it is while a version is that. */
export interface Pointer {
  readonly key: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly content: { readonly copyOf: string } | { readonly text: string } | { readonly redirect: string };
}

/** As a manifest names them. @throws RuntimeError for what would stand in the way of something else. */
export function pointersFor(
  place: Place,
  config: ReleaseConfig,
  {
    project,
    files,
    checksums = [],
  }: Pick<Manifest, "checksums"> & {
    readonly project: ProjectName;
    readonly files: readonly (ManifestFile & Pick<CollectedFile, "key">)[];
  },
): Manifest["pointers"] {
  const { latestFiles, version, latestKey } = place;
  if (place.pointers === undefined) return undefined;
  const taken = new Set([latestKey]);
  const take = (key: string, what: string): void => {
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
      throw new RuntimeError(`${what} cannot stand at ${cleanName(key)}: ${trouble}`, { retryable: false });
    }
    taken.add(key);
  };
  const copies = files.flatMap(({ name, key: own }) => {
    const key = own ?? (latestFiles && filled(latestFiles, { file: latestName(name, version) }));
    if (key === undefined) return [];
    take(key, `the latest ${cleanName(name)}`);
    for (const kind of checksums) take(checksumName(key, kind), `the sum of ${cleanName(name)}`);
    return [{ key, name }];
  });
  const names = { project, version };
  const written = isNight(version) ? [] : Object.entries(config.redirects);
  const redirects = written.map(([from, to]) => ({ key: filled(from, names), to: filled(to, names) }));
  for (const { key } of redirects) take(key, "a redirect");
  return { copies, redirects };
}

/** `docker-0.9.0.tgz` is `docker-latest.tgz`; a name without the version is as it is. */
export function latestName(name: string, version: Version): string {
  const escaped = version.replaceAll(".", "\\.");
  return name.replace(new RegExp(`(?:(?<![0-9A-Za-z])v|(?<![0-9.]))${escaped}(?!\\.?[0-9])`, "g"), "latest");
}

/** The objects themselves. */
export function pointersOf(manifest: Manifest, { prefix }: Pick<Place, "prefix">): Pointer[] {
  const { copies = [], redirects = [] } = manifest.pointers ?? {};
  const copied = copies.flatMap(({ key, name }): Pointer[] => {
    const file = manifest.files.find((each) => each.name === name);
    if (file === undefined) return [];
    const { bytes, sha256 } = file;
    const sums = checksumFiles(file, manifest, key).map(({ name: at, text }) => textPointer(at, text));
    return [{ key, bytes, sha256, content: { copyOf: prefix + name } }, ...sums];
  });
  return [...copied, ...redirects.map(({ key, to }) => ({ ...textPointer(key, ""), content: { redirect: to } }))];
}

function textPointer(key: string, text: string): Pointer {
  return { key, bytes: Buffer.byteLength(text), sha256: sha256Of(text), content: { text } };
}
