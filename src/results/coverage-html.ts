/**
 * Draws coverage as a folder of pages, with the sources and the covered lines coloured. istanbul-reports would do it for Istanbul's own
 * data only, by scripts, and all at once; these pages are text that is written as the tar is read, with a pause after each.
 */
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { RuntimeError } from "../errors.ts";
import type { CoverageReport } from "./coverage.ts";
import { byFolder } from "./coverage-folders.ts";
import {
  type CoverageHeading,
  type CoveragePage,
  filePage,
  filePagePaths,
  folderPage,
  indexPage,
} from "./coverage-html-pages.ts";
import { normalisePaths } from "./coverage-paths.ts";
import { readSources, treeFiles } from "./tree-sources.ts";

const SOURCE_MAX_BYTES = 1024 * 1024;
/** What is drawn at the most; files past it stand in the tables without a page. */
const LIMITS = { files: 5_000, bytes: 256 * 1024 * 1024, ms: 60_000 };

export interface CoverageDrawing {
  readonly report: CoverageReport;
  /** The revision as it was packed (pipeline/tree.ts). */
  readonly tarFile: string;
  /** Where the pages go, in place of what is there. */
  readonly folder: string;
  readonly heading: CoverageHeading;
  readonly signal: AbortSignal;
  readonly limits?: Partial<typeof LIMITS>;
}

/** @throws RuntimeError when the tar or the disk fails, or the signal's reason; what was there stays then. */
export async function drawCoverage({
  report,
  tarFile,
  folder,
  heading,
  signal,
  limits,
}: CoverageDrawing): Promise<void> {
  const part = `${folder}.part`;
  try {
    await rm(part, { recursive: true, force: true });
    await draw({ report, tarFile, folder: part, heading, signal, limits: { ...LIMITS, ...limits } });
    await rm(folder, { recursive: true, force: true });
    await rename(part, folder);
  } catch (error) {
    await rm(part, { recursive: true, force: true });
    signal.throwIfAborted();
    throw new RuntimeError("the coverage pages cannot be drawn", { cause: error });
  }
}

async function draw(drawing: CoverageDrawing & { readonly limits: typeof LIMITS }): Promise<void> {
  const { tarFile, folder, heading, signal, limits } = drawing;
  const report = normalisePaths(drawing.report, await treeFiles(tarFile));
  const byPath = new Map(report.files.map((file) => [file.path, file]));
  const places = filePagePaths(report.files);
  const pages = new Map<string, string>();
  const made = new Set<string>();
  const ends = Date.now() + limits.ms;
  let bytes = 0;

  const write = async ({ path, html }: CoveragePage): Promise<void> => {
    const target = join(folder, path);
    if (!made.has(dirname(target))) await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    made.add(dirname(target));
    await writeFile(target, html, { mode: 0o600 });
    bytes += html.length;
    // The bot answers between two pages.
    await setImmediate();
  };

  const isFull = (): boolean => pages.size >= limits.files || bytes > limits.bytes || Date.now() > ends;
  const wanted = (path: string): boolean => byPath.has(path) && !pages.has(path) && !isFull();
  await readSources(tarFile, { wanted, maxBytes: SOURCE_MAX_BYTES, signal }, async (path, text) => {
    const file = byPath.get(path);
    const place = places.get(path);
    if (file === undefined || place === undefined) return;
    await write(filePage(file, place, text, { heading, unit: report.unit }));
    pages.set(path, place);
  });
  const common = { heading, unit: report.unit, pages, folders: new Set<string>() };
  for (const each of byFolder(report).slice(0, limits.files)) {
    signal.throwIfAborted();
    await write(folderPage(each, common));
    common.folders.add(each.path);
  }
  await write(indexPage(report, common));
}
