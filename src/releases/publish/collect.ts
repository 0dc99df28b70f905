/** Which of a build's artifacts are published, under which names, with their sums. */
import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import type { ChecksumKind, ReleaseConfig } from "../../config.ts";
import { RuntimeError } from "../../errors.ts";
import { cleanName } from "../../results/clean-name.ts";
import { pathProblem } from "../../results/kept-path.ts";
import { pathPattern } from "../../results/path-pattern.ts";
import type { Artifact } from "../../results/summary.ts";
import { openInside } from "../../web/inert-files.ts";
import { checksumName } from "./checksums.ts";
import { filled } from "./layout.ts";
import { type ManifestFile, OWN_NAMES } from "./manifest.ts";
import { platformOf } from "./platform.ts";

/** So many names are told of those that there are. */
const TOLD = 10;

export interface CollectedFile extends ManifestFile {
  /** Where it stands while its version is the latest, whatever `latest_files:` says. */
  readonly key?: string;
  open(): Promise<Readable | Buffer>;
}

export interface NamesOfVersion {
  readonly project: string;
  readonly version: string;
  /** Of the request, or of the night. */
  readonly date: string;
}

interface Chosen {
  readonly path: string;
  readonly bytes: number;
  readonly name: string;
}

type Naming = Pick<ReleaseConfig, "files" | "osNames" | "archNames" | "checksums">;

/**
 * What `files:` names, in the order of the names that they get. A file that several patterns match is the first one's.
 * @throws RuntimeError with a sentence, which no second try would make another.
 */
export function chooseFiles(
  artifacts: readonly Artifact[],
  config: Naming,
  names: NamesOfVersion,
  build: number,
): readonly Chosen[] {
  const once = [...new Map(artifacts.map((artifact) => [artifact.path, artifact])).values()];
  if (once.length === 0) throw wrong(`#${build} left no artifacts, so there is nothing to publish`);
  const left = new Set(once);
  const chosen: Chosen[] = [];
  const rules = config.files.length === 0 ? [{ from: "**", to: undefined }] : config.files;
  for (const { from, to } of rules) {
    // A part of a name that begins with a dot is matched by no star; what every file is meant by, it is.
    const pattern = config.files.length === 0 ? undefined : pathPattern(from, "/");
    const matching = once.filter(({ path }) => pattern === undefined || pattern.match(`/${path}`) !== undefined);
    if (matching.length === 0) {
      const paths = once.map(({ path }) => cleanName(path)).sort();
      const more = paths.length > TOLD ? ` and ${paths.length - TOLD} more` : "";
      throw wrong(`no artifact of #${build} matches ${from}; there are ${paths.slice(0, TOLD).join(", ")}${more}`);
    }
    for (const artifact of matching) {
      if (!left.delete(artifact)) continue;
      chosen.push({ ...artifact, name: nameOf(artifact.path, to, config, names) });
    }
  }
  return checked(
    chosen.sort((a, b) => (a.name < b.name ? -1 : 1)),
    config.checksums,
  );
}

function nameOf(path: string, to: string | undefined, { osNames, archNames }: Naming, names: NamesOfVersion): string {
  const file = path.slice(path.lastIndexOf("/") + 1);
  if (to === undefined) return file;
  const { os, arch } = platformOf(path, osNames, archNames);
  const missing =
    to.includes("{os}") && os === undefined ? "os" : to.includes("{arch}") && arch === undefined ? "arch" : undefined;
  if (missing !== undefined) {
    const known = Object.keys(missing === "os" ? osNames : archNames).join(", ");
    throw wrong(`${cleanName(path)} says nothing of {${missing}}; known are ${known}`);
  }
  return filled(to, { ...names, file, ...(os === undefined ? {} : { os }), ...(arch === undefined ? {} : { arch }) });
}

/** Each name once, also of the sums. @throws RuntimeError */
function checked(chosen: readonly Chosen[], checksums: readonly ChecksumKind[]): readonly Chosen[] {
  const paths = new Map<string, string>();
  for (const { name, path } of chosen) {
    // `sha256sum -c` would read its own input.
    const problem = name === "-" ? "is no path of a file" : pathProblem(name);
    if (problem !== undefined)
      throw wrong(`${cleanName(path)} cannot be published as ${cleanName(name)}: that ${problem}`);
    if (OWN_NAMES.includes(name)) throw wrong(`${cleanName(path)} cannot be published as ${name}: that name is taken`);
    const other = paths.get(name);
    if (other !== undefined) {
      throw wrong(
        `${cleanName(other)} and ${cleanName(path)} would both be published as ${cleanName(name)}; name them in files:`,
      );
    }
    paths.set(name, path);
  }
  for (const { name, path } of chosen) {
    const taken = checksums.map((kind) => checksumName(name, kind)).find((sum) => paths.has(sum));
    if (taken !== undefined) {
      throw wrong(`${cleanName(taken)} is both an artifact and the sum of ${cleanName(path)}; name it in files:`);
    }
  }
  return chosen;
}

/**
 * Reads each of them once. Only plain files in the build's own folder, of the size that the build wrote down.
 * @param folder `artifacts/<n>`
 */
export async function sumFiles(
  folder: string,
  chosen: readonly Chosen[],
  checksums: readonly ChecksumKind[],
  signal: AbortSignal,
): Promise<readonly CollectedFile[]> {
  const files: CollectedFile[] = [];
  for (const { path, bytes, name } of chosen) {
    const hash = createHash("sha256");
    const md5 = checksums.includes("md5") ? createHash("md5") : undefined;
    let read = 0;
    for await (const chunk of await openFile(folder, path)) {
      signal.throwIfAborted();
      hash.update(chunk);
      md5?.update(chunk);
      read += chunk.length;
    }
    if (read !== bytes) throw wrong(`${cleanName(path)} is not as the build left it`);
    const sums = { sha256: hash.digest("hex"), ...(md5 && { md5: md5.digest("hex") }) };
    files.push({ name, bytes, ...sums, open: () => openFile(folder, path) });
  }
  return files;
}

/** @throws RuntimeError where there is no such plain file any more. */
export async function openFile(folder: string, path: string): Promise<Readable> {
  const parts = path.split("/");
  const file = pathProblem(path) === undefined ? await openInside(folder, parts) : undefined;
  if (file === undefined) throw wrong(`the artifact ${cleanName(path)} is no longer kept`);
  return file.handle.createReadStream();
}

function wrong(message: string): RuntimeError {
  return new RuntimeError(message, { retryable: false });
}
