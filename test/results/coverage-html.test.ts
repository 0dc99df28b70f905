/** The pages drawn of coverage: what stands in them, that they run nothing, and that they stay within their bounds. */
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pack } from "tar-stream";
import { expect, test } from "vitest";
import { type CoverageDrawing, drawCoverage } from "../../src/results/coverage-html.ts";
import { readCoverageReport } from "../../src/results/coverage-report.ts";
import { hasBrowser, openBrowser } from "../support/browser.ts";
import { never, tarOf } from "../support/docker.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const HEADING = { project: "accounts", number: 42, revision: "main 0d6b721" };
const FIXTURES = join(import.meta.dirname, "../fixtures/coverage");

/** Draws an lcov report over these files, and gives a way to look at the pages. */
async function openDrawing(
  lcov: string,
  files: Readonly<Record<string, string>>,
  changes: Partial<CoverageDrawing> = {},
): Promise<AsyncDisposable & { folder: string; page(path: string): Promise<string>; list(): Promise<string[]> }> {
  const temporary = await temporaryFolder();
  const tarFile = join(temporary.path, "tree.tar");
  await pipeline(tarOf(files), createWriteStream(tarFile));
  const folder = join(temporary.path, "accounts", "42");
  const report = await readCoverageReport(Readable.from([Buffer.from(lcov)]));
  await drawCoverage({ report, tarFile, folder, heading: HEADING, signal: never, ...changes });
  return {
    folder,
    page: (path) => readFile(join(folder, path), "utf8"),
    async list() {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
        .toSorted();
    },
    [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose](),
  };
}

const rowsOf = (html: string) =>
  [...html.matchAll(/<tr><td>(.*?)<\/td><td>.*?<td class="n">(.*?)<\/td>/g)].map(([, name = "", percent]) => [
    name.replace(/<[^>]*>/g, ""),
    percent,
  ]);

const record = (path: string, ...hits: number[]) =>
  `SF:${path}\n${hits.map((count, index) => `DA:${index + 1},${count}\n`).join("")}end_of_record\n`;

test("O-63: the index has each folder with its percentage, the least first, and each file its page", async () => {
  const files = { "src/a.c": "one\ntwo\n", "src/web/b.c": "one\ntwo\nthree\n", "main.c": "x\n" };
  const lcov = record("/w/src/a.c", 1, 0) + record("/w/src/web/b.c", 0, 0, 3) + record("main.c", 1);
  await using drawing = await openDrawing(`TN:\n${lcov}`, files);
  const index = await drawing.page("index.html");
  expect(rowsOf(index).slice(0, 3)).toEqual([
    ["src/web", "33.3%"],
    ["src", "50.0%"],
    [".", "100.0%"],
  ]);
  expect(index).toContain("<title>coverage 50.0% · accounts #42</title>");
  expect(index).toContain("3 of 6 lines in 3 files, 3 folders");
  for (const [, href = ""] of index.matchAll(/<td><a href="([^"]+)"/g))
    expect(await drawing.page(href)).toContain("<h1>");
  expect(rowsOf(await drawing.page("folders/src/web/index.html"))).toEqual([["src/web/b.c", "33.3%"]]);
});

test("a file's page has its source, line by line, with what was run and what was not", async () => {
  await using drawing = await openDrawing(`TN:\nSF:a.c\nDA:1,2\nDA:3,0\nDA:4,0\nDA:6,1\nend_of_record\n`, {
    "a.c": 'if (a < b)\r\n\n  x = "y";\n  z;\n\nend\n',
  });
  const html = await drawing.page("files/a.c.html");
  expect(html).toContain('<p id="L1" class="c"><a href="#L1">1</a><b>2×</b>if (a &lt; b)</p>');
  expect(html).toContain('<p id="L2"><a href="#L2">2</a><b></b></p>');
  expect(html).toContain('<p id="L3" class="m"><a href="#L3">3</a><b>0×</b>  x = &quot;y&quot;;</p>');
  expect(html).toContain('Not run: <a href="#L3">3–4</a></p>');
});

test("nothing in it runs, whatever the sources and their names are", async () => {
  const evil = "<script>alert(1)</script>\u001b[31m\"'&";
  const name = '"><script>alert(2)</script>.js';
  await using drawing = await openDrawing(`TN:\n${record(name, 1)}${record("../../etc/passwd", 1)}`, {
    [name]: evil,
    "etc/passwd": "root\n",
  });
  for (const path of await drawing.list()) {
    const html = await drawing.page(path);
    expect(html).not.toMatch(/<script|javascript:|\son\w+=/i);
    expect(html).not.toContain("\u001b");
  }
});

test("paths that would meet, climb or hide stay apart, inside", async () => {
  const names = ["a", "a.html/b", "../up", "/abs/.hidden/x", ".env", `${"long".repeat(60)}/y`];
  const files = Object.fromEntries(names.map((name) => [name, `${name}\n`]));
  await using temporary = await temporaryFolder();
  const tarFile = join(temporary.path, "tree.tar");
  const tar = pack();
  for (const [name, text] of Object.entries(files)) tar.entry({ name }, text);
  tar.finalize();
  await pipeline(tar, createWriteStream(tarFile));
  const report = await readCoverageReport(
    Readable.from([Buffer.from(`TN:\n${names.map((name) => record(name, 1)).join("")}`)]),
  );
  const folder = join(temporary.path, "here", "42");
  await drawCoverage({ report, tarFile, folder, heading: HEADING, signal: never });
  expect((await readdir(temporary.path)).toSorted()).toEqual(["here", "tree.tar"]);
  expect(await readdir(join(temporary.path, "here"))).toEqual(["42"]);
  expect((await readdir(join(folder, "files"))).toSorted()).toEqual(
    expect.arrayContaining(["_..", "_.env.html", "a.html", "a.html_"]),
  );
});

test("files that are binary, very large, generated or one too many are in the tables without a page", async () => {
  const files = { a: "x\n", b: "x\n", c: "x\n", bin: "\0\0", huge: "x".repeat(1024 * 1024 + 1) };
  const lcov = ["a", "b", "c", "bin", "huge", "generated"].map((name) => record(name, 1)).join("");
  await using drawing = await openDrawing(`TN:\n${lcov}`, files, { limits: { files: 2 } });
  expect((await drawing.list()).filter((path) => path.startsWith("files/"))).toEqual(["files/a.html", "files/b.html"]);
  expect(rowsOf(await drawing.page("folders/index.html")).map(([name]) => name)).toEqual([
    "a",
    "b",
    "bin",
    "c",
    "generated",
    "huge",
  ]);
  expect(await drawing.page("index.html")).toContain("4 files without a page");
});

test("Go's report is drawn by statements over the sources that it was made from", async () => {
  await using temporary = await temporaryFolder();
  const tarFile = join(temporary.path, "tree.tar");
  const source = await readFile(join(FIXTURES, "sources/go/ledger/ledger.go"), "utf8");
  await pipeline(tarOf({ "ledger/ledger.go": source }), createWriteStream(tarFile));
  const report = await readCoverageReport(createReadStream(join(FIXTURES, "go/cover.out")));
  const folder = join(temporary.path, "42");
  // What stood there goes, as a rebuild draws anew.
  await mkdir(folder);
  await writeFile(join(folder, "old.html"), "");
  await drawCoverage({ report, tarFile, folder, heading: HEADING, signal: never });
  expect((await readdir(folder)).toSorted()).toEqual(["files", "folders", "index.html"]);
  const html = await readFile(join(folder, "files/ledger/ledger.go.html"), "utf8");
  expect(html).toMatch(/class="m"><a href="#L9">9<\/a><b>0×<\/b>\t\treturn 0, errors.New/);
});

test("it ends with the signal's reason, and leaves nothing behind", async () => {
  const reason = new Error("cancelled");
  await expect(openDrawing(`TN:\n${record("a", 1)}`, { a: "x\n" }, { signal: AbortSignal.abort(reason) })).rejects.toBe(
    reason,
  );
});

test("five thousand files are drawn in seconds, while the process goes on answering", { timeout: 60_000 }, async () => {
  const text = "  const total = values.reduce((sum, value) => sum + value, 0);\n".repeat(60);
  const names = Array.from({ length: 5_000 }, (_, index) => `src/p${index % 50}/f${index}.js`);
  const hits = Array.from({ length: 60 }, (_, index) => index % 3);
  let longestMs = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    longestMs = Math.max(longestMs, performance.now() - last);
    last = performance.now();
  }, 5);
  const lcov = `TN:\n${names.map((name) => record(name, ...hits)).join("")}`;
  const files = Object.fromEntries(names.map((name) => [name, text]));
  last = performance.now();
  const began = performance.now();
  await using drawing = await openDrawing(lcov, files);
  clearInterval(timer);
  expect(await readdir(join(drawing.folder, "files/src"))).toHaveLength(50);
  expect(performance.now() - began).toBeLessThan(45_000);
  expect(longestMs).toBeLessThan(1_000);
});

test.skipIf(!hasBrowser)("on a phone nothing of a table is cut off, however large its numbers", async () => {
  const lines = 23_456;
  const paths = ["src/a-package-with-a-name/of-some-length.c", "src/a-package-with-a-name/b.c"];
  const hits = Array.from({ length: lines }, (_, index) => index % 2);
  const lcov = paths.map((path) => record(path, ...hits)).join("");
  const files = Object.fromEntries(paths.map((path) => [path, "x\n".repeat(lines)]));
  await using drawing = await openDrawing(`TN:\n${lcov}`, files);
  const pages = await Promise.all(
    (await drawing.list()).map(async (path) => ({ path, html: await drawing.page(path) })),
  );
  const withTable = pages.filter(({ html }) => html.includes("<table>"));
  expect(withTable.length).toBeGreaterThan(1);
  await using browser = await openBrowser();
  const page = await browser.open("data:text/html,", { viewport: { width: 390, height: 800 } });
  for (const { path, html } of withTable) {
    await page.setContent(html);
    expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth"), path).toBeLessThanOrEqual(0);
    for (const cell of await page.locator("th:visible").all()) {
      const box = await cell.boundingBox();
      expect((box?.x ?? 0) + (box?.width ?? 999), path).toBeLessThanOrEqual(390);
    }
  }
});
