/** The coverage pages as text: the index by folder, the files of a folder, a file with its sources. None of them needs a script. */
import { createHash } from "node:crypto";
import { formatCount } from "../units.ts";
import { type CoverageReport, type FileCoverage, totalsOf } from "./coverage.ts";
import { byFolder, type FolderCoverage, leastCovered } from "./coverage-folders.ts";
import { COVERAGE_STYLE } from "./coverage-html-style.ts";
import { percentWords } from "./coverage-words.ts";

export interface CoverageHeading {
  readonly project: string;
  readonly number: number;
  /** `main 0d6b721` */
  readonly revision: string;
}

/** Where a page is, relative to the index; its text is written as it comes. */
export interface CoveragePage {
  readonly path: string;
  readonly html: string;
}

/** What all pages of one report have in common. */
export interface Drawing {
  readonly heading: CoverageHeading;
  readonly unit: CoverageReport["unit"];
  /** Paths of files to those of their pages; a file without sources has none. */
  readonly pages: ReadonlyMap<string, string>;
  /** Folders that have a page. */
  readonly folders: ReadonlySet<string>;
}

/** A longer line is cut: a minified file has one of a megabyte. */
const LINE_LENGTH = 2_000;
const LEAST_SHOWN = 10;
const RANGES_SHOWN = 40;
const ROWS_MAX = 5_000;
/** A part of a path that is longer in bytes is cut, as file systems take 255. */
const PART_BYTES = 180;

export function indexPage(report: CoverageReport, drawing: Drawing): CoveragePage {
  const totals = totalsOf(report);
  const folders = byFolder(report);
  const least = leastCovered(report.files).slice(0, LEAST_SHOWN);
  const hidden = report.files.length - drawing.pages.size;
  const body = [
    `<h1>${percentWords(totals)} of ${totals.unit} covered</h1>`,
    `<p class="q">${formatCount(totals.covered)} of ${formatCount(totals.total)} ${totals.unit} in ${counted(report.files.length, "file")}, ${counted(folders.length, "folder")}</p>`,
    table(
      "Folder",
      [...leastCovered(folders), ...folders.filter(({ total }) => total === 0)],
      (folder) => ({
        text: folder.path,
        href: drawing.folders.has(folder.path) ? hrefOf(folderPagePath(folder.path)) : undefined,
        more: formatCount(folder.files.length),
      }),
      "Files",
    ),
    folders.length > 1 && least.length > 0 ? `<h2>Least covered files</h2>${fileTable(least, drawing, "")}` : "",
    hidden > 0
      ? `<p class="q">${counted(hidden, "file")} without a page: generated, binary, very large, or one too many.</p>`
      : "",
  ];
  return { path: "index.html", html: page(drawing, `coverage ${percentWords(totals)}`, [], body, "") };
}

export function folderPage(folder: FolderCoverage, drawing: Drawing): CoveragePage {
  const path = folderPagePath(folder.path);
  const up = "../".repeat(path.split("/").length - 1);
  const body = [
    `<h1>${asText(folder.path)}</h1>`,
    `<p class="q">${percentWords(folder)} · ${formatCount(folder.covered)} of ${formatCount(folder.total)} ${drawing.unit} in ${counted(folder.files.length, "file")}</p>`,
    fileTable([...leastCovered(folder.files), ...folder.files.filter(({ total }) => total === 0)], drawing, up),
  ];
  return { path, html: page(drawing, `${percentWords(folder)} ${folder.path}`, [], body, up) };
}

/** @param path of the page, as `filePagePaths` gives it. */
export function filePage(
  file: FileCoverage,
  path: string,
  source: string,
  drawing: Pick<Drawing, "heading" | "unit">,
): CoveragePage {
  const up = "../".repeat(path.split("/").length - 1);
  const folder = file.path.slice(0, Math.max(0, file.path.lastIndexOf("/"))) || ".";
  const missed = missedRanges(file);
  const jumps = missed.slice(0, RANGES_SHOWN).map(([first, last]) => {
    return `<a href="#L${first}">${first === last ? first : `${first}–${last}`}</a>`;
  });
  const more = missed.length > RANGES_SHOWN ? ` and ${missed.length - RANGES_SHOWN} more` : "";
  const body = [
    `<h1>${asText(file.path)}</h1>`,
    `<p class="q">${percentWords(file)} · ${formatCount(file.covered)} of ${formatCount(file.total)} ${drawing.unit}</p>`,
    missed.length === 0 ? "" : `<p>Not run: ${jumps.join(", ")}${more}</p>`,
    `<div class="source"><div>${sourceLines(file, source)}</div></div>`,
  ];
  const crumb = `<a href="${up}${hrefOf(folderPagePath(folder))}">${asText(folder)}</a>`;
  return { path, html: page(drawing, `${percentWords(file)} ${file.path}`, [crumb], body, up) };
}

function sourceLines({ lines, hits }: FileCoverage, source: string): string {
  const texts = source.split("\n");
  if (texts.at(-1) === "") texts.pop();
  let at = 0;
  return texts
    .map((text, index) => {
      const number = index + 1;
      while ((lines[at] ?? Number.POSITIVE_INFINITY) < number) at += 1;
      const count = lines[at] === number ? hits[at] : undefined;
      const state = count === undefined ? "" : count > 0 ? ' class="c"' : ' class="m"';
      const times = count === undefined ? "" : `${shortCount(count)}×`;
      const shown = text.length > LINE_LENGTH ? `${text.slice(0, LINE_LENGTH)}…` : text;
      return `<p id="L${number}"${state}><a href="#L${number}">${number}</a><b>${times}</b>${asText(shown)}</p>`;
    })
    .join("\n");
}

/** Lines one after the other that were not run, with those without code between them. */
function missedRanges({ lines, hits }: FileCoverage): [number, number][] {
  const ranges: [number, number][] = [];
  let isOpen = false;
  for (const [index, line] of lines.entries()) {
    const isMissed = hits[index] === 0;
    const last = ranges.at(-1);
    if (isMissed && isOpen && last !== undefined) last[1] = line;
    else if (isMissed) ranges.push([line, line]);
    isOpen = isMissed;
  }
  return ranges;
}

interface Cell {
  readonly text: string;
  readonly href: string | undefined;
  readonly more: string;
}

function fileTable(files: readonly FileCoverage[], { pages }: Drawing, up: string): string {
  return table(
    "File",
    files,
    (file) => {
      const path = pages.get(file.path);
      return {
        text: file.path,
        href: path === undefined ? undefined : `${up}${hrefOf(path)}`,
        more: missedWords(file),
      };
    },
    "Lines not run",
  );
}

function missedWords(file: FileCoverage): string {
  const lines = file.hits.reduce((sum, count) => (count === 0 ? sum + 1 : sum), 0);
  return lines === 0 ? "" : formatCount(lines);
}

/** O-63: a name, its percentage, the least first. */
function table<Part extends { readonly covered: number; readonly total: number }>(
  first: string,
  parts: readonly Part[],
  cellOf: (part: Part) => Cell,
  last: string,
): string {
  const rows = parts.slice(0, ROWS_MAX).map((part) => {
    const { text, href, more } = cellOf(part);
    const name = href === undefined ? asText(text) : `<a href="${href}">${asText(text)}</a>`;
    const width = part.total === 0 ? undefined : (part.covered / part.total) * 100;
    const bar = width === undefined ? "" : `<span class="bar"><i style="width:${width.toFixed(1)}%"></i></span>`;
    const percent = width === undefined ? "" : percentWords(part);
    const counts = `${formatCount(part.covered)} of ${formatCount(part.total)}`;
    return `<tr><td>${name}</td><td>${bar}</td><td class="n">${percent}</td><td class="n q">${counts}</td><td class="n">${more}</td></tr>`;
  });
  const head = `<tr><th>${first}</th><th></th><th class="n">Percent</th><th class="n">Covered</th><th class="n">${last}</th></tr>`;
  const more = parts.length > ROWS_MAX ? `<p class="q">and ${formatCount(parts.length - ROWS_MAX)} more</p>` : "";
  return `<table><thead>${head}</thead><tbody>\n${rows.join("\n")}\n</tbody></table>${more}`;
}

function page(
  { heading }: Pick<Drawing, "heading">,
  title: string,
  crumbs: readonly string[],
  body: readonly string[],
  up: string,
): string {
  const { project, number, revision } = heading;
  const build = `<a href="/builds/${number}">${asText(project)} #${number}</a> <span class="q">${asText(revision)}</span>`;
  const path = [`<b><a href="/">docker-ci</a></b>`, build, `<a href="${up}index.html">coverage</a>`, ...crumbs];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${asText(title)} · ${asText(project)} #${number}</title><link rel="icon" href="data:,"><style>${COVERAGE_STYLE}</style></head>
<body><header>${path.join(" › ")}</header>
<main>
${body.filter((part) => part !== "").join("\n")}
</main></body></html>
`;
}

function folderPagePath(folder: string): string {
  return ["folders", ...safeParts(folder), "index.html"].join("/");
}

/** Where each file's page is: no two at the same place, none outside. */
export function filePagePaths(files: readonly Pick<FileCoverage, "path">[]): Map<string, string> {
  const taken = new Set<string>();
  const paths = new Map<string, string>();
  for (const { path } of files) {
    const [name = "_", ...folders] = safeParts(path).toReversed();
    // A folder that is called as a page would be cannot stand beside that page.
    const parts = folders.toReversed().map((part) => (part.endsWith(".html") ? `${part}_` : part));
    const place = (suffix: string): string => ["files", ...parts, `${name}${suffix}.html`].join("/");
    let at = place("");
    for (let count = 2; taken.has(at); count += 1) at = place(`~${count}`);
    taken.add(at);
    paths.set(path, at);
  }
  return paths;
}

function safeParts(path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  return parts.map((part) => {
    const plain = part.startsWith(".") ? `_${part}` : part;
    if (Buffer.byteLength(plain) <= PART_BYTES) return plain;
    return `${plain.slice(0, 40)}~${createHash("sha256").update(plain).digest("hex").slice(0, 16)}`;
  });
}

function hrefOf(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

function shortCount(count: number): string {
  if (count < 10_000) return String(count);
  return count < 10_000_000 ? `${Math.round(count / 1_000)}k` : `${Math.round(count / 1_000_000)}M`;
}

function counted(count: number, thing: string): string {
  return `${formatCount(count)} ${thing}${count === 1 ? "" : "s"}`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function asText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not stay
  return text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? "").replace(/[\x00-\x08\x0b-\x1f\x7f]/g, "");
}
