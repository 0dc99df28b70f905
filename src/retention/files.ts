/** What builds left in the data folder: where it lies, how much it is, and its removal. */
import { lstat, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { keptLog, logsFolder } from "../builds/log-files.ts";
import { artifactsFolder, coverageFolder, leftBehind } from "../builds/pipeline-of-build.ts";
import { smokeLogs } from "../releases/publish/smoke-logs.ts";
import { resultsFolder } from "../results/results.ts";
import type { Expired, Goes } from "./plan.ts";

export type Kind = "log" | "artifacts" | "coverage" | "results";

/** What goes with each. */
const OF: Readonly<Record<Expired, readonly Kind[]>> = {
  build: ["log", "artifacts", "coverage", "results"],
  log: ["log"],
  artifacts: ["artifacts"],
  coverage: ["coverage"],
};

/** The paths of what goes; what is not there is no error. */
export function pathsOf(dataDir: string, { number, project, what }: Goes): (readonly [Kind, string])[] {
  const left = leftBehind(dataDir, { number, project });
  const paths: Readonly<Record<Kind, string>> = {
    log: keptLog(logsFolder({ dataDir }), number),
    artifacts: left.artifacts,
    coverage: left.coverage,
    results: left.results,
  };
  return [...new Set(what.flatMap((each) => OF[each]))].map((kind) => [kind, paths[kind]] as const);
}

/** Bytes of a file, or of all files below a folder; 0 where there is nothing. Follows no link. */
export async function bytesOf(path: string): Promise<number> {
  const found = await lstat(path).catch(() => undefined /* nothing there, or gone while we looked */);
  if (found === undefined) return 0;
  if (!found.isDirectory()) return found.size;
  const names = await readdir(path).catch(() => [] /* gone while we looked */);
  let bytes = 0;
  for (const name of names) bytes += await bytesOf(join(path, name));
  return bytes;
}

/** A file or a folder, whatever is in it. */
export async function removePath(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}

/** Younger than this it may be of a build whose record is being written, or of a step that is at work. */
const ORPHAN_MS = 86_400_000;

/**
 * What no record speaks of: of builds that are gone, and of steps that were cut short. The old names of
 * coverage pages (results/coverage-names.ts) go with their build.
 */
export async function orphans(
  dataDir: string,
  isKnown: (number: number) => boolean,
  now: Date,
): Promise<readonly (readonly [Kind, string])[]> {
  const isOld = async (path: string): Promise<boolean> => {
    const found = await lstat(path).catch(() => undefined /* gone meanwhile */);
    return found !== undefined && now.getTime() - found.mtimeMs > ORPHAN_MS;
  };
  const found: (readonly [Kind, string])[] = [];
  const look = async (kind: Kind, folder: string, numberOf: (name: string) => number | undefined): Promise<void> => {
    for (const name of await entries(folder)) {
      const number = numberOf(name);
      const path = join(folder, name);
      const isLeft = number === undefined ? /\.part(?:-|$)/.test(name) : !isKnown(number);
      if (isLeft && (await isOld(path))) found.push([kind, path]);
    }
  };
  const whole = (name: string) => (/^\d{1,15}$/.test(name) ? Number(name) : undefined);
  const first = (name: string) => (/^\d{1,15}\./.test(name) ? Number.parseInt(name, 10) : undefined);
  await look("log", logsFolder({ dataDir }), first);
  await look("artifacts", artifactsFolder(dataDir), whole);
  await look("results", join(resultsFolder(dataDir, 0), ".."), whole);
  // What was brought of a build (delivery/bring.ts) needs no mark any more.
  await look("results", join(dataDir, "docker-ci", "brought"), (name) => first(name.replace("-", ".")));
  for (const project of await entries(coverageFolder(dataDir))) {
    const folder = join(coverageFolder(dataDir), project);
    await look("coverage", folder, whole);
    for (const name of (await entries(folder)).filter((each) => each.endsWith(".build"))) {
      const path = join(folder, name);
      const number = Number(await readFile(path, "utf8").catch(() => "" /* gone meanwhile */));
      if (!isKnown(number) && (await isOld(path))) found.push(["coverage", path]);
    }
  }
  return found;
}

/** Of smoke tests (releases/publish/smoke-test.ts) that ran longer ago. */
export async function oldSmokeLogs(
  dataDir: string,
  keptMs: number,
  now: Date,
): Promise<readonly (readonly [Kind, string])[]> {
  const folder = smokeLogs({ dataDir });
  const found: (readonly [Kind, string])[] = [];
  for (const name of await entries(folder)) {
    const path = join(folder, name);
    const stats = await lstat(path).catch(() => undefined /* begun anew meanwhile */);
    if (stats !== undefined && now.getTime() - stats.mtimeMs > keptMs) found.push(["log", path]);
  }
  return found;
}

async function entries(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [] /* nothing of this kind was ever kept */);
}
