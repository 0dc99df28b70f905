/** Takes what a step's `tests`, `coverage`, `coverage_html` and `artifacts` name out of its ended container. */
import { posix } from "node:path";
import type { StepId } from "../names.ts";
import type { Mask } from "../pipeline/masking.ts";
import type { PlannedStep } from "../pipeline/plan.ts";
import type { RunStep } from "../pipeline/schema.ts";
import type { RunningContainer } from "../runtime.ts";
import { type CopiedFile, type CopyLimits, copyFiles, type Reader, readByAll } from "./copied-files.ts";
import { type CollectFindings, NO_FINDINGS, type StepFindings } from "./findings.ts";
import { type ArtifactLimits, type KeptArtifacts, openArtifacts, type StepArtifacts } from "./kept-artifacts.ts";
import { type HtmlLimits, type KeptHtml, openHtml } from "./kept-html.ts";
import { pathProblem } from "./kept-path.ts";
import { type PathPattern, pathBelow, pathPattern } from "./path-pattern.ts";
import {
  REPORT_PARSERS,
  type ReportLimits,
  type ReportParsers,
  readStepReports,
  type StepReports,
} from "./step-reports.ts";
import { collectWarnings, type Warnings } from "./warnings.ts";

/** Where a pattern is looked for after the container's working directory: what a step shares with the machine is mounted there. */
const DATA_FOLDER = "/data";
/** How many paths are copied out at a time; each has the engine mount the container's file system. */
const SIDE_BY_SIDE = 4;

const MIB = 1024 ** 2;
const DEFAULT_LIMITS: CollectLimits = {
  reports: { files: 10_000, bytesEach: 256 * MIB, bytes: 512 * MIB },
  artifacts: { files: 10_000, bytes: 1024 * MIB },
  html: { files: 20_000, bytes: 200 * MIB },
  copied: { files: 500_000, bytes: 32 * 1024 * MIB },
};

export interface CollectLimits {
  /** Of one step. */
  readonly reports: ReportLimits;
  /** Of one build. */
  readonly artifacts: ArtifactLimits;
  readonly html: HtmlLimits;
  /** What may be looked through, below one path, for the files that match. */
  readonly copied: CopyLimits;
}

export interface CollectorOptions {
  /** Of the build: `results/<n>`. */
  readonly resultsFolder: string;
  /** `artifacts/<n>`. */
  readonly artifactsFolder: string;
  /** `coverage/<project>/<n>`; it is there only when the project makes pages of its own. */
  readonly coverageHtmlFolder: string;
  readonly mask: Mask;
  readonly limits?: Partial<CollectLimits>;
  /** Paths of the files in the repository, by which those in coverage reports are known. */
  readonly repositoryFiles?: ReadonlySet<string>;
  /** Further folders of coverage pages, absolute, that a step announced in its output; one that is missing is no matter. */
  readonly announcedPages?: (step: StepId) => readonly string[];
  /** For tests. */
  readonly parsers?: ReportParsers;
}

type Key = "tests" | "coverage" | "coverage_html" | "artifacts";

/** A pattern of the step, until something was found that it matches. */
interface Wish {
  readonly key: Key;
  readonly written: string;
  readonly mayMiss: boolean;
  found: boolean;
}

interface Search {
  readonly wish: Wish;
  readonly pattern: PathPattern;
}

/** What one collection goes about with. */
interface Collection {
  readonly workingDirectory: string;
  readonly limits: CollectLimits;
  readonly mask: Mask;
  readonly warnings: Warnings;
  readonly reports: StepReports;
  readonly artifacts: StepArtifacts | undefined;
  readonly html: KeptHtml | undefined;
}

/** For one build; steps that run side by side may be collected side by side. */
export function createCollector(options: CollectorOptions): CollectFindings {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const artifacts = openArtifacts(options.artifactsFolder, options.resultsFolder, limits.artifacts);
  return async (planned, container, tries, signal) => {
    if (planned.step.kind !== "run") return NO_FINDINGS;
    const wishes = wishesOf(planned.step, options.announcedPages?.(planned.id) ?? []);
    if (wishes.length === 0) return NO_FINDINGS;
    return collect({ ...options, limits }, artifacts, wishes, { planned, container, tries, signal });
  };
}

function wishesOf(step: RunStep, announced: readonly string[]): Wish[] {
  const wish = (key: Key, written: string, mayMiss = false): Wish => ({ key, written, mayMiss, found: false });
  return [
    ...step.tests.map((written) => wish("tests", written)),
    ...(step.coverage === undefined ? [] : [wish("coverage", step.coverage)]),
    ...(step.coverageHtml === undefined ? [] : [wish("coverage_html", step.coverageHtml)]),
    ...step.artifacts.map((written) => wish("artifacts", written)),
    ...announced.map((written) => wish("coverage_html", written, true)),
  ];
}

async function collect(
  options: CollectorOptions & { readonly limits: CollectLimits },
  build: KeptArtifacts,
  wishes: readonly Wish[],
  {
    planned,
    container,
    tries,
    signal,
  }: { planned: PlannedStep; container: RunningContainer; tries: number; signal: AbortSignal },
): Promise<StepFindings> {
  const { mask, limits, parsers = REPORT_PARSERS, resultsFolder, repositoryFiles } = options;
  const has = (key: Key): boolean => wishes.some((wish) => wish.key === key);
  const warnings = collectWarnings(mask);
  const workingDirectory = posix.resolve("/", await container.workingDirectory());
  const artifacts = has("artifacts") ? await build.begin(planned.id, warnings) : undefined;
  const html = has("coverage_html")
    ? openHtml(options.coverageHtmlFolder, planned.id, limits.html, warnings)
    : undefined;
  const reports = readStepReports({
    folder: resultsFolder,
    step: planned.id,
    tries,
    mask,
    limits: limits.reports,
    parsers,
    warnings,
    workingDirectory,
    repositoryFiles,
  });
  const collection: Collection = { workingDirectory, limits, mask, warnings, reports, artifacts, html };
  try {
    await lookEverywhere(collection, wishes, container, signal);
    const read = await reports.end();
    await html?.end();
    const kept = (await artifacts?.end()) ?? [];
    return { ...read, artifacts: kept, warnings: warnings.list() };
  } catch (error) {
    await Promise.allSettled([reports.abandon(), html?.abandon(), artifacts?.abandon()]);
    signal.throwIfAborted();
    throw error;
  }
}

/** In the working directory, then under /data for what was not there. */
async function lookEverywhere(
  collection: Collection,
  wishes: readonly Wish[],
  container: RunningContainer,
  signal: AbortSignal,
): Promise<void> {
  const folders = [...new Set([collection.workingDirectory, DATA_FOLDER])];
  for (const folder of folders) {
    const searches: Search[] = [];
    for (const wish of wishes) {
      if (wish.found || (folder !== folders[0] && wish.written.startsWith("/"))) continue;
      const pattern = pathPattern(wish.written, folder);
      if (pattern !== undefined) searches.push({ wish, pattern });
      else {
        wish.found = true;
        collection.warnings.add(wish.key, `the pattern ${wish.written} is too long, or has over 100 choices`);
      }
    }
    await lookIn(collection, searches, container, signal);
  }
  const missing = wishes.filter(({ found, mayMiss }) => !found && !mayMiss);
  if (missing.length === 0) return;
  const { exitCode } = await container.wait(signal);
  const because = exitCode === 0 ? "" : "; the step failed, maybe before it was written";
  for (const { key, written } of missing) {
    const where = written.startsWith("/") ? "" : ` in ${folders.join(" or ")}`;
    collection.warnings.add(key, `nothing matches ${written}${where}${because}`);
  }
}

/** Copies as few paths out as there may be, each once for all patterns. */
async function lookIn(
  collection: Collection,
  searches: readonly Search[],
  container: RunningContainer,
  signal: AbortSignal,
): Promise<void> {
  const bases = outermost(searches.flatMap(({ pattern }) => pattern.bases));
  const failed = new AbortController();
  const both = AbortSignal.any([signal, failed.signal]);
  const { limits, warnings } = collection;
  const each = (file: CopiedFile): Promise<void> => take(collection, file, searches);
  const work = async (): Promise<void> => {
    for (let base = bases.shift(); base !== undefined; base = bases.shift()) {
      await copyFiles(container, base, { limits: limits.copied, warnings, each }, both);
    }
  };
  const first = (error: unknown): void => {
    if (!failed.signal.aborted) failed.abort(error);
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, () => work().catch(first)));
  failed.signal.throwIfAborted();
}

function outermost(paths: readonly string[]): string[] {
  const unique = [...new Set(paths)];
  return unique.filter((path) => !unique.some((other) => other !== path && pathBelow(path, other) !== undefined));
}

async function take(collection: Collection, file: CopiedFile, searches: readonly Search[]): Promise<void> {
  const { workingDirectory, warnings } = collection;
  const matches = searches.flatMap(({ wish, pattern }) => {
    const below = pattern.match(file.path);
    return below === undefined ? [] : [{ wish, below }];
  });
  if (matches.length === 0) return;
  for (const { wish } of matches) wish.found = true;
  const name = nameOf(file.path, workingDirectory);
  if (file.kind !== "file") {
    warnings.add(name, `is a ${file.kind} and was left out`);
    return;
  }
  const problem = pathProblem(name);
  if (problem !== undefined) {
    warnings.add(name, `${problem} and was left out`);
    return;
  }
  const readers = readersOf(collection, matches, { name, bytes: file.bytes });
  if (readers.length > 0) await readByAll(file.content, readers);
}

/** As people know the file: without the folder in which patterns are looked for. */
function nameOf(path: string, workingDirectory: string): string {
  const below = pathBelow(path, workingDirectory) ?? pathBelow(path, DATA_FOLDER) ?? path.slice(1);
  return below === "" ? posix.basename(path) : below;
}

/** Whoever wants the file, each once, however many patterns it matches. */
function readersOf(
  { reports, artifacts, html, mask }: Collection,
  matches: readonly { readonly wish: Wish; readonly below: string }[],
  { name, bytes }: { readonly name: string; readonly bytes: number },
): Reader[] {
  const readers: Reader[] = [];
  const of = (key: Key) => matches.find(({ wish }) => wish.key === key);
  const tests = of("tests");
  if (tests !== undefined && isNamedOrXml(tests)) readers.push(...reports.testReader(name, bytes));
  const coverage = of("coverage");
  if (coverage !== undefined) readers.push(...reports.coverageReader(name, bytes));
  const page = of("coverage_html");
  if (page !== undefined && html !== undefined) {
    const path = page.below === "" ? pageName(name) : page.below;
    readers.push((content) => html.keep(mask.text(path), bytes, content));
  }
  if (of("artifacts") !== undefined && artifacts !== undefined) {
    readers.push((content) => artifacts.keep(mask.text(name), bytes, content));
  }
  return readers;
}

/** A folder that is named for its reports has other files too: Maven's has a text beside each. */
function isNamedOrXml({ wish, below }: { readonly wish: Wish; readonly below: string }): boolean {
  return below === "" || /[*?{]/.test(wish.written) || /\.(?:xml|jsonl?)$/i.test(below);
}

/** A single page is what the folder's address shows. */
function pageName(name: string): string {
  return /\.html?$/i.test(name) ? "index.html" : posix.basename(name);
}
