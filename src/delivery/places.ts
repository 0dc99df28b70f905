/**
 * The files that a build left behind, by the names under which they travel from the worker that ran it to the bot: the same below
 * both data folders. `log.gz`, `results/…`, `artifacts/…`, `coverage/…`, and `names/<name>` for a report that has a name.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Build } from "../builds/build.ts";
import { keptLog, logsFolder } from "../builds/log-files.ts";
import { coverageFolder, leftBehind } from "../builds/pipeline-of-build.ts";
import { ifMissing } from "../missing.ts";
import { pathProblem } from "../results/kept-path.ts";

export type Owner = Pick<Build, "number" | "project">;

/** What can be asked for by itself. */
const AREAS = ["log", "results", "artifacts", "coverage"] as const;
export type Area = (typeof AREAS)[number];

export interface LeftFile {
  /** As it travels. */
  readonly path: string;
  /** Where it lies. */
  readonly file: string;
  readonly bytes: number;
}

const LOG = "log.gz";
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** The area that a path belongs to; names go with the pages that they name. */
export function areaOf(path: string): Area {
  const top = path.split("/")[0];
  if (top === "results" || top === "artifacts") return top;
  return path === LOG ? "log" : "coverage";
}

/** Where a path lies in a data folder; undefined for one that none of ours has. */
export function placeOf(dataDir: string, owner: Owner, path: string): string | undefined {
  if (path === LOG) return keptLog(logsFolder({ dataDir }), owner.number);
  if (pathProblem(path) !== undefined) return undefined;
  const [top, ...rest] = path.split("/");
  const below = rest.join("/");
  if (below === "") return undefined;
  const folders = leftBehind(dataDir, owner);
  if (top === "results" || top === "artifacts" || top === "coverage") return join(folders[top], below);
  if (top === "names" && NAME.test(below)) return join(coverageFolder(dataDir), owner.project, `${below}.build`);
  return undefined;
}

/** Everything that the build left here, the log first. Files that are not whole yet are left out. */
export async function filesOf(dataDir: string, owner: Owner): Promise<LeftFile[]> {
  const { results, artifacts, coverage } = leftBehind(dataDir, owner);
  const found = [
    ...(await one(LOG, keptLog(logsFolder({ dataDir }), owner.number))),
    ...(await below("results", results)),
    ...(await below("artifacts", artifacts)),
    ...(await below("coverage", coverage)),
  ];
  return [...found, ...(await names(dataDir, owner))];
}

async function one(path: string, file: string): Promise<LeftFile[]> {
  const stats = await stat(file).catch(ifMissing(undefined /* it left none */));
  return stats?.isFile() === true ? [{ path, file, bytes: stats.size }] : [];
}

async function below(area: string, folder: string): Promise<LeftFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    ifMissing([] /* it left none */),
  );
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const left = files.toSorted().map((file) => ({ file, path: `${area}/${file.slice(folder.length + 1)}` }));
  const whole = left.filter(({ path }) => !isPart(area, path));
  return (await Promise.all(whole.map(({ path, file }) => one(path, file)))).flat();
}

/** Reports are written beside their place first (results/kept-*.ts); a project's own files may be called whatever they are. */
function isPart(area: string, path: string): boolean {
  return area === "results" && /\.part(?:\/|$)/.test(path);
}

async function names(dataDir: string, { number, project }: Owner): Promise<LeftFile[]> {
  const folder = join(coverageFolder(dataDir), project);
  const entries: string[] = await readdir(folder).catch(ifMissing([] /* it has no reports */));
  const given: LeftFile[] = [];
  for (const entry of entries) {
    const name = /^(.+)\.build$/.exec(entry)?.[1];
    if (name === undefined || !NAME.test(name)) continue;
    if ((await readFile(join(folder, entry), "utf8")).trim() !== String(number)) continue;
    given.push(...(await one(`names/${name}`, join(folder, entry))));
  }
  return given;
}
