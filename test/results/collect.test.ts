/** What a step leaves behind is taken out of its container, whatever it is; what is wrong with it is said. */
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { RuntimeError } from "../../src/errors.ts";
import { createMask } from "../../src/pipeline/masking.ts";
import type { PlannedStep } from "../../src/pipeline/plan.ts";
import { type CollectorOptions, createCollector } from "../../src/results/collect.ts";
import type { StepFindings } from "../../src/results/findings.ts";
import { readTests } from "../../src/results/kept-tests.ts";
import { REPORT_PARSERS } from "../../src/results/step-reports.ts";
import type { RunningContainer } from "../../src/runtime.ts";
import { containerWith, type Entry, endlessTar, leaving, plainReports, tarOfEntries } from "../support/collecting.ts";
import { never, openCorner } from "../support/docker.ts";
import { PIXEL } from "../support/png.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

interface Desk extends AsyncDisposable {
  readonly path: string;
  collect(
    planned: PlannedStep,
    container: RunningContainer,
    tries?: number,
    signal?: AbortSignal,
  ): Promise<StepFindings>;
  /** Files below a folder of the data, with what is in them. */
  files(folder: string): Promise<Record<string, string>>;
}

async function openDesk(changes: Partial<CollectorOptions> = {}): Promise<Desk> {
  const folder = await temporaryFolder();
  const collect = createCollector({
    resultsFolder: join(folder.path, "results", "1"),
    artifactsFolder: join(folder.path, "artifacts", "1"),
    coverageHtmlFolder: join(folder.path, "coverage", "hello", "1"),
    mask: createMask([]),
    parsers: plainReports,
    ...changes,
  });
  return {
    path: folder.path,
    collect: (planned, container, tries = 1, signal = never) => collect(planned, container, tries, signal),
    async files(name) {
      const top = join(folder.path, name);
      const entries = await readdir(top, { recursive: true, withFileTypes: true }).catch(() => []);
      const found: Record<string, string> = {};
      for (const entry of entries) {
        if (entry.isDirectory()) continue;
        const path = join(entry.parentPath, entry.name);
        found[path.slice(top.length + 1)] = entry.isFile() ? await readFile(path, "utf8") : "not a file";
      }
      return found;
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

/** A container in which /src/out holds these. */
async function withOut(entries: readonly Entry[], exitCode = 0) {
  return containerWith(
    { "/src/out": await tarOfEntries([{ name: "out/", type: "directory" }, ...entries]) },
    { exitCode },
  );
}

describe("from a real container", () => {
  test("reports, coverage pages and artifacts, in the working directory and under /data (O-50)", async () => {
    await using corner = openCorner();
    await using desk = await openDesk();
    const container = await corner.runtime.start(
      corner.spec(
        `mkdir -p reports coverage/html/css dist/.well-known /data/more /tmp/out
         printf 'passed a\\nfailed b: expected 1\\n' >reports/unit.xml
         printf 'passed c\\n' >/data/more/e2e.xml
         printf 'covered /work/src/a.js 3/4\\n' >coverage/lcov.info
         echo '<h1>all</h1>' >coverage/html/index.html; echo 'h1 {}' >coverage/html/css/a.css
         echo one >dist/one; echo two >dist/.well-known/two; echo three >/tmp/out/three.txt; echo no >/tmp/out/no.bin`,
        { workdir: "/work" },
      ),
      never,
    );
    await container.wait(never);
    const planned = leaving({
      tests: ["reports/*.xml", "more/e2e.xml"],
      coverage: "coverage/lcov.info",
      coverageHtml: "coverage/html",
      artifacts: ["dist", "/tmp/out/*.txt"],
    });
    const findings = await desk.collect(planned, container);
    expect(findings).toMatchObject({
      tests: { total: 3, failed: 1, failing: [{ name: "b", message: "expected 1" }] },
      coverage: { unit: "lines", covered: 3, total: 4 },
      artifacts: [
        { path: "dist/.well-known/two", bytes: 4 },
        { path: "dist/one", bytes: 4 },
        { path: "tmp/out/three.txt", bytes: 6 },
      ],
      warnings: [],
    });
    expect(await desk.files("artifacts/1")).toEqual({
      "dist/.well-known/two": "two\n",
      "dist/one": "one\n",
      "tmp/out/three.txt": "three\n",
    });
    expect(await desk.files("coverage/hello")).toEqual({ "1/index.html": "<h1>all</h1>\n", "1/css/a.css": "h1 {}\n" });
    expect((await stat(join(desk.path, "artifacts/1/dist/one"))).mode & 0o777).toBe(0o600);
    expect((await stat(join(desk.path, "artifacts/1/dist"))).mode & 0o777).toBe(0o700);
  });

  test("JUnit and lcov, cut off or not, by the readers of this program (O-64)", async () => {
    await using corner = openCorner();
    await using desk = await openDesk({ parsers: REPORT_PARSERS, repositoryFiles: new Set(["src/a.js"]) });
    const container = await corner.runtime.start(
      corner.spec(
        `mkdir out; xml='<testsuite name="s"><testcase name="one" time="0.5"/><testcase name="two"><failure message="no"/></testcase>'
         echo "$xml</testsuite>" >out/whole.xml; echo "$xml" >out/cut.xml
         printf 'SF:/work/src/a.js\nDA:1,1\nDA:2,0\nend_of_record\n' >out/lcov.info`,
        { workdir: "/work" },
      ),
      never,
    );
    await container.wait(never);
    const planned = leaving({ tests: ["out/*.xml"], coverage: "out/lcov.info" });
    const { tests, coverage, warnings } = await desk.collect(planned, container);
    expect(tests).toMatchObject({ total: 4, failed: 2 });
    expect(coverage).toEqual({ unit: "lines", covered: 1, total: 2 });
    expect(warnings).toEqual([expect.stringMatching(/^out\/cut\.xml: /)]);
  });

  test("links are not followed, neither as files nor as the folder that is named; devices and pipes are left out", async () => {
    await using corner = openCorner();
    await using desk = await openDesk();
    const container = await corner.runtime.start(
      corner.spec(
        `mkdir -p reports /data/etc; ln -s /etc/passwd reports/junit.xml; ln -s /etc/passwd passwd; ln -s / root; ln -s /etc reports/deep
         echo x >reports/kept; ln reports/kept reports/linked; mkfifo reports/pipe`,
        { workdir: "/work" },
      ),
      never,
    );
    await container.wait(never);
    const planned = leaving({ tests: ["reports/junit.xml"], artifacts: ["passwd", "root/**", "reports/**"] });
    const { tests, artifacts, warnings } = await desk.collect(planned, container);
    expect(tests).toBeUndefined();
    expect(artifacts).toHaveLength(1);
    expect(warnings.toSorted()).toEqual([
      "passwd: is a symbolic link and was left out",
      "reports/deep: is a symbolic link and was left out",
      "reports/junit.xml: is a symbolic link and was left out",
      expect.stringMatching(/^reports\/(kept|linked): is a hard link and was left out$/),
      "reports/pipe: is a device and was left out",
      "root: is a symbolic link and was left out",
    ]);
    expect(Object.values(await desk.files("artifacts/1"))).toEqual(["x\n"]);
  });
});

describe("patterns", () => {
  test("each path is copied out once, however many patterns it takes", async () => {
    await using desk = await openDesk();
    const container = await withOut([{ name: "out/a.xml", text: "passed a" }]);
    const planned = leaving({ tests: ["out/a.xml", "out/*.xml"], artifacts: ["out/a.xml", "out"] });
    const { tests, artifacts } = await desk.collect(planned, container);
    expect(container.asked).toEqual(["/src/out"]);
    expect(tests?.total).toBe(1);
    expect(artifacts).toEqual([{ path: "out/a.xml", bytes: 8 }]);
  });

  test("one that matches nothing is named, with where it was looked for", async () => {
    await using desk = await openDesk();
    const planned = leaving({ tests: ["out/*.json"], artifacts: ["/opt/x"] });
    expect((await desk.collect(planned, await withOut([]))).warnings).toEqual([
      "tests: nothing matches out/*.json in /src or /data",
      "artifacts: nothing matches /opt/x",
    ]);
    expect((await desk.collect(planned, await withOut([], 1))).warnings).toEqual([
      "tests: nothing matches out/*.json in /src or /data; the step failed, maybe before it was written",
      "artifacts: nothing matches /opt/x; the step failed, maybe before it was written",
    ]);
  });

  test("a step that names nothing asks nothing of the container", async () => {
    await using desk = await openDesk();
    const container = await withOut([]);
    expect(await desk.collect(leaving({}), container)).toEqual({
      tests: undefined,
      coverage: undefined,
      artifacts: [],
      warnings: [],
    });
    expect(container.asked).toEqual([]);
  });

  test("pages that the step announced are copied; that they are missing is no matter", async () => {
    const pages = await tarOfEntries([{ name: "pages/index.html", text: "hi" }]);
    await using desk = await openDesk({ announcedPages: () => ["/data/pages", "/data/none"] });
    const { warnings } = await desk.collect(leaving({}), containerWith({ "/data/pages": pages }));
    expect(warnings).toEqual([]);
    expect(await desk.files("coverage/hello/1")).toEqual({ "index.html": "hi" });
  });
});

describe("reports", () => {
  test("a broken one is named; the tests before the break and the other reports count", async () => {
    await using desk = await openDesk();
    const container = await withOut([
      { name: "out/a.xml", text: "passed a\nfailed b\nBROKEN\npassed never" },
      { name: "out/b.xml", text: "passed c" },
      { name: "out/c.xml", text: "<html>" },
    ]);
    const { tests, testsIncomplete, warnings } = await desk.collect(leaving({ tests: ["out/*.xml"] }), container);
    expect(tests).toMatchObject({ total: 3, failed: 1 });
    expect(warnings).toEqual(["out/a.xml: is cut off at line 3", "out/c.xml: is no test report"]);
    expect(testsIncomplete).toBe(true);
  });

  test("one that is too large is not read, and neither is what is too much in all; the others are", async () => {
    await using desk = await openDesk({ limits: { reports: { files: 10, bytesEach: 30, bytes: 40 } } });
    const container = await withOut([
      { name: "out/a.xml", text: `passed a${"\npassed b".repeat(3)}` },
      { name: "out/b.xml", text: "passed c" },
      { name: "out/c.xml", text: "passed d" },
    ]);
    const { tests, testsIncomplete, warnings } = await desk.collect(leaving({ tests: ["out/*.xml"] }), container);
    expect(tests?.total).toBe(2);
    expect(warnings).toEqual(["out/a.xml: takes 35 B, and a report may take at most 30 B; it was not read"]);
    expect(testsIncomplete).toBe(true);
    const step = leaving({ tests: ["out/*.xml"] });
    await using narrow = await openDesk({ limits: { reports: { files: 10, bytesEach: 30, bytes: 10 } } });
    expect(
      (
        await narrow.collect(
          step,
          await withOut([
            { name: "out/1.xml", text: "passed c" },
            { name: "out/2.xml", text: "passed d" },
          ]),
        )
      ).warnings,
    ).toEqual(["out/2.xml: was not read, as the reports of a step may take at most 10 B"]);
  });

  test("no secret is kept, in a test, a path or a warning", async () => {
    await using desk = await openDesk({ mask: createMask(["hunter2!"]) });
    const container = await withOut([
      { name: "out/a.xml", text: "failed logs in with hunter2!: hunter2! was refused" },
      { name: "out/hunter2!.xml", text: "nonsense" },
    ]);
    const planned = leaving({ tests: ["out/*.xml"], artifacts: ["out/h*"] });
    const { tests, artifacts, warnings } = await desk.collect(planned, container);
    const kept = [];
    for await (const batch of readTests(join(desk.path, "results/1"), () => undefined)) kept.push(...batch);
    expect(kept).toMatchObject([{ name: "logs in with ***", message: "*** was refused" }]);
    expect(JSON.stringify([tests, artifacts, warnings])).not.toContain("hunter2!");
    expect(warnings).toEqual(["out/***.xml: is no test report"]);
    expect(artifacts).toEqual([{ path: "out/***.xml", bytes: 8 }]);
  });

  test("several coverage reports are one, with paths of the repository", async () => {
    let kept: unknown;
    await using desk = await openDesk({
      parsers: {
        ...plainReports,
        keepCoverage: async (folder, step, report) => {
          kept = report.files.map(({ path }) => path);
          return plainReports.keepCoverage(folder, step, report);
        },
      },
    });
    const container = await withOut([
      { name: "out/a/lcov.info", text: "covered /src/lib/a.js 1/2" },
      { name: "out/b/lcov.info", text: "covered ./lib/b.js 2/2\ncovered lib/c.js 0/1" },
      { name: "out/c/lcov.info", text: "what" },
    ]);
    const { coverage, warnings } = await desk.collect(leaving({ coverage: "out/**/lcov.info" }), container);
    expect(kept).toEqual(["lib/a.js", "lib/b.js", "lib/c.js"]);
    expect(coverage).toEqual({ unit: "lines", covered: 3, total: 5 });
    expect(warnings).toEqual(["out/c/lcov.info: is no coverage report"]);
  });

  test("a file that is report and artifact is both, also when the report is broken", async () => {
    await using desk = await openDesk();
    const text = `passed a\nBROKEN\n${"x".repeat(3_000_000)}`;
    const container = await withOut([{ name: "out/a.xml", text }]);
    const { tests, artifacts } = await desk.collect(leaving({ tests: ["out/a.xml"], artifacts: ["out"] }), container);
    expect(tests?.total).toBe(1);
    expect(artifacts).toEqual([{ path: "out/a.xml", bytes: text.length }]);
    expect((await desk.files("artifacts/1"))["out/a.xml"]).toBe(text);
  });
});

describe("artifacts", () => {
  test("pictures are known by their bytes, of a step that failed too; nothing that can hold a script is one (O-120)", async () => {
    await using desk = await openDesk();
    const container = await withOut(
      [
        { name: "out/a.png", bytes: Buffer.from(PIXEL, "base64") },
        { name: "out/b.JPG", bytes: Buffer.from("ffd8ffe000104a464946", "hex") },
        { name: "out/c.webp", text: "RIFF1234WEBPVP8 " },
        { name: "out/d.png", text: "<svg xmlns='http://www.w3.org/2000/svg'/>" },
        { name: "out/e.svg", text: "<svg xmlns='http://www.w3.org/2000/svg'/>" },
        { name: "out/f.html", bytes: Buffer.from(PIXEL, "base64") },
        { name: "out/g.png", text: "" },
      ],
      1,
    );
    const { artifacts, warnings } = await desk.collect(leaving({ artifacts: ["out"] }), container);
    expect(warnings).toEqual([]);
    expect(artifacts.map(({ path, picture }) => `${path} ${picture ?? "no"}`)).toEqual([
      "out/a.png true",
      "out/b.JPG true",
      "out/c.webp true",
      "out/d.png no",
      "out/e.svg no",
      "out/f.html no",
      "out/g.png no",
    ]);
  });

  test("a second try takes the place of the first, and of an earlier attempt", async () => {
    await using desk = await openDesk();
    const planned = leaving({ artifacts: ["out"] });
    await desk.collect(
      planned,
      await withOut([
        { name: "out/a", text: "1" },
        { name: "out/b", text: "1" },
      ]),
    );
    const { artifacts, warnings } = await desk.collect(planned, await withOut([{ name: "out/b", text: "22" }]), 2);
    expect(artifacts).toEqual([{ path: "out/b", bytes: 2 }]);
    expect(warnings).toEqual([]);
    expect(await desk.files("artifacts/1")).toEqual({ "out/b": "22" });
    // Another worker goes on: it knows only what is written down.
    const other = createCollector({
      resultsFolder: join(desk.path, "results/1"),
      artifactsFolder: join(desk.path, "artifacts/1"),
      coverageHtmlFolder: join(desk.path, "coverage/hello/1"),
      mask: createMask([]),
      parsers: plainReports,
    });
    await other(planned, await withOut([{ name: "out/c", text: "3" }]), 1, never);
    expect(await desk.files("artifacts/1")).toEqual({ "out/c": "3" });
    expect(Object.keys(await desk.files("results/1"))).toEqual(["tests.artifacts.json"]);
  });

  test("two of the same path: the later one wins, and it is said", async () => {
    await using desk = await openDesk();
    await desk.collect(leaving({ artifacts: ["out"] }, "unit"), await withOut([{ name: "out/a", text: "1" }]));
    const second = await desk.collect(
      leaving({ artifacts: ["out"] }, "e2e"),
      await withOut([
        { name: "out/a", text: "2" },
        { name: "out/a", text: "3" },
        { name: "out/a/b", text: "4" },
      ]),
    );
    expect(second.warnings).toEqual([
      "out/a: is there twice; this one replaced that of step unit",
      "out/a: is there twice; this one replaced another file",
      "out/a/b: was left out, as a file and a folder would have the same name",
    ]);
    expect(await desk.files("artifacts/1")).toEqual({ "out/a": "3" });
  });

  test("over the limit of a build the large ones are left out, and no more than so many", async () => {
    await using desk = await openDesk({ limits: { artifacts: { files: 2, bytes: 10 } } });
    const entries = [
      { name: "out/1", text: "x".repeat(11) },
      { name: "out/2", text: "x" },
      { name: "out/3", text: "x" },
      ...Array.from({ length: 500 }, (_, index) => ({ name: `out/more-${index}`, text: "x" })),
    ];
    const { artifacts, warnings } = await desk.collect(leaving({ artifacts: ["out"] }), await withOut(entries));
    expect(artifacts.map(({ path }) => path)).toEqual(["out/2", "out/3"]);
    expect(warnings).toEqual([
      "out/1: would bring the build's artifacts over 10 B and was left out",
      "artifacts: a build keeps at most 2; the rest was left out",
    ]);
  });

  test("what is left of a collection that was given up is no artifact", async () => {
    await using desk = await openDesk();
    const stop = new AbortController();
    const tar = await tarOfEntries([
      { name: "out/a", text: "a" },
      { name: "out/b", text: "b".repeat(100_000) },
    ]);
    const hanging = containerWith({
      "/src/out": () =>
        Readable.from(
          (async function* () {
            yield tar.subarray(0, 5_000);
            stop.abort(new Error("cancelled"));
            await new Promise(() => undefined);
          })(),
          { objectMode: false },
        ),
    });
    await expect(desk.collect(leaving({ artifacts: ["out"] }), hanging, 1, stop.signal)).rejects.toThrow("cancelled");
    expect(await desk.files("artifacts/1")).toEqual({});
    expect(await desk.files("results/1")).toEqual({});
    await desk.collect(leaving({ artifacts: ["out"] }), await withOut([{ name: "out/b", text: "b" }]));
    expect(Object.keys(await desk.files("results/1"))).toEqual(["tests.artifacts.json"]);
  });
});

describe("coverage pages", () => {
  test("a second try takes the place of the first as a whole; a single page is the index", async () => {
    await using desk = await openDesk();
    const planned = leaving({ coverageHtml: "out" });
    await desk.collect(
      planned,
      await withOut([
        { name: "out/index.html", text: "1" },
        { name: "out/old.html", text: "1" },
      ]),
    );
    await desk.collect(planned, await withOut([{ name: "out/index.html", text: "2" }]), 2);
    expect(await desk.files("coverage/hello")).toEqual({ "1/index.html": "2" });
    const page = leaving({ coverageHtml: "out/cover.html" });
    await desk.collect(
      page,
      containerWith({ "/src/out/cover.html": await tarOfEntries([{ name: "cover.html", text: "3" }]) }),
    );
    expect(await desk.files("coverage/hello")).toEqual({ "1/index.html": "3" });
  });

  test("too many of them are cut off", async () => {
    await using desk = await openDesk({ limits: { html: { files: 1, bytes: 100 } } });
    const container = await withOut([
      { name: "out/index.html", text: "1" },
      { name: "out/b.html", text: "1" },
    ]);
    expect((await desk.collect(leaving({ coverageHtml: "out" }), container)).warnings).toEqual([
      "coverage_html: the pages may take at most 1 files; the rest was left out",
    ]);
  });
});

describe("a hostile tar", () => {
  const LONG = "n".repeat(5_000);

  test.each<[string, Entry, string]>([
    [
      "a climbing name",
      { name: "out/../../../escaped", text: "x" },
      "out/../../../escaped: is not below /src/out and was left out",
    ],
    ["an absolute name", { name: "/etc/escaped", text: "x" }, "/etc/escaped: is not below /src/out and was left out"],
    [
      "a name of 5,000 bytes",
      { name: `out/${LONG}`, text: "x" },
      `out/${"n".repeat(155)}…: has a name of over 255 bytes and was left out`,
    ],
    [
      "a path of 3,000 bytes",
      { name: `out/${"d/".repeat(40)}${"dir/".repeat(700)}x`, text: "x" },
      expect.stringContaining("has a path of over 1,024 bytes"),
    ],
    [
      "100 folders",
      { name: `out/${"d/".repeat(100)}x`, text: "x" },
      expect.stringContaining("lies in over 64 folders"),
    ],
    [
      "a newline in a name",
      { name: "out/a\nb", text: "x" },
      "out/a b: has a control character in its name and was left out",
    ],
    [
      "an escape sequence in a name",
      { name: "out/\u001b[31mred", text: "x" },
      "out/red: has a control character in its name and was left out",
    ],
    [
      "text turned around",
      { name: "out/\u202egpj.exe", text: "x" },
      expect.stringContaining("has a control character in its name"),
    ],
    [
      "a backslash",
      { name: "out/..\\..\\x", text: "x" },
      "out/..\\..\\x: has a backslash in its name and was left out",
    ],
    [
      "a symbolic link",
      { name: "out/l", type: "symlink", linkname: "/etc/passwd" },
      "out/l: is a symbolic link and was left out",
    ],
    ["a hard link", { name: "out/l", type: "link", linkname: "/etc/passwd" }, "out/l: is a hard link and was left out"],
    [
      "a device",
      { name: "out/d", type: "character-device", devmajor: 1, devminor: 5 },
      "out/d: is a device and was left out",
    ],
    ["a pipe", { name: "out/f", type: "fifo" }, "out/f: is a device and was left out"],
  ])("%s is a warning, and nothing is made of it", async (_what, entry, warning) => {
    await using desk = await openDesk();
    const container = await withOut([entry, { name: "out/good", text: "good" }]);
    const findings = await desk.collect(
      leaving({ tests: ["out/**/*.xml"], artifacts: ["out"], coverageHtml: "out" }),
      container,
    );
    expect(findings.warnings.filter((text) => !text.startsWith("tests: nothing"))).toEqual([warning]);
    expect(await desk.files("artifacts")).toEqual({ "1/out/good": "good" });
    expect(await desk.files("coverage")).toEqual({ "hello/1/good": "good" });
  });

  test("a link that a later name goes through is not there to go through", async () => {
    await using desk = await openDesk();
    await mkdir(join(desk.path, "elsewhere"));
    const container = await withOut([
      { name: "out/l", type: "symlink", linkname: join(desk.path, "elsewhere") },
      { name: "out/l/x", text: "x" },
    ]);
    await desk.collect(leaving({ artifacts: ["out"] }), container);
    expect(await readdir(join(desk.path, "elsewhere"))).toEqual([]);
    expect(await desk.files("artifacts/1")).toEqual({ "out/l/x": "x" });
  });

  test("thousands of wrong names are twenty warnings", async () => {
    await using desk = await openDesk();
    const links = Array.from(
      { length: 3_000 },
      (_, index): Entry => ({ name: `out/${index}`, type: "symlink", linkname: "x" }),
    );
    const { warnings } = await desk.collect(leaving({ artifacts: ["out"] }), await withOut(links));
    expect(warnings).toHaveLength(20);
    expect(warnings.at(-1)).toBe("and 2981 more of the kind");
  });

  test("one that is cut off gives what was before, and a warning", async () => {
    await using desk = await openDesk();
    const tar = await tarOfEntries([
      { name: "out/a.xml", text: "passed a" },
      { name: "out/b.xml", text: "passed b\n".repeat(1_000) },
    ]);
    const container = containerWith({ "/src/out": tar.subarray(0, 5_000) });
    const { tests, artifacts, warnings } = await desk.collect(
      leaving({ tests: ["out/*.xml"], artifacts: ["out"] }),
      container,
    );
    expect(tests?.total).toBeGreaterThanOrEqual(1);
    expect(artifacts).toEqual([{ path: "out/a.xml", bytes: 8 }]);
    expect(warnings).toEqual(["/src/out: could not be read to its end (Unexpected end of data)"]);
    expect(await desk.files("artifacts/1")).toEqual({ "out/a.xml": "passed a" });
  });

  test("one that is no tar is a warning", async () => {
    await using desk = await openDesk();
    const container = containerWith({ "/src/out": Buffer.alloc(3_000, "no tar ") });
    const { warnings } = await desk.collect(leaving({ artifacts: ["out"] }), container);
    expect(warnings[0]).toMatch(/^\/src\/out: could not be read to its end \(Invalid tar header/);
  });

  test("a file without an end, sparse or not, is not waited for", async () => {
    await using desk = await openDesk();
    const endless = containerWith({ "/src/out": endlessTar });
    const { artifacts, warnings } = await desk.collect(leaving({ artifacts: ["out"] }), endless);
    expect(artifacts).toEqual([{ path: "out/a", bytes: 1 }]);
    expect(warnings).toEqual(["/src/out: has more than 32 GiB in it; the rest was not looked at"]);
  });

  test("more files than are looked at are not looked at", async () => {
    await using desk = await openDesk({ limits: { copied: { files: 100, bytes: 1e9 } } });
    const many = Array.from({ length: 1_000 }, (_, index): Entry => ({ name: `out/${index}`, text: "" }));
    const { warnings } = await desk.collect(leaving({ artifacts: ["out/1*"] }), await withOut(many));
    expect(warnings).toEqual(["/src/out: has more than 100 files in it; the rest was not looked at"]);
  });
});

describe("the machinery", () => {
  test("a connection that breaks is its fault, not the report's", async () => {
    await using desk = await openDesk();
    const tar = await tarOfEntries([{ name: "out/a.xml", text: "passed a\n".repeat(2_000) }]);
    const breaking = containerWith({
      "/src/out": () =>
        Readable.from(
          (function* () {
            yield tar.subarray(0, 5_000);
            throw Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
          })(),
          { objectMode: false },
        ),
    });
    const collecting = desk.collect(leaving({ tests: ["out/*.xml"], artifacts: ["out"] }), breaking);
    await expect(collecting).rejects.toThrow(RuntimeError);
    await expect(collecting).rejects.toThrow("/src/out could not be copied out of the container (socket hang up)");
    expect(await desk.files("artifacts/1")).toEqual({});
    expect(await desk.files("results/1")).toEqual({});
  });

  test("a disk that cannot be written to is its fault", async () => {
    await using desk = await openDesk();
    await writeFile(join(desk.path, "results"), "a file where a folder should be");
    const container = await withOut([{ name: "out/a.xml", text: "passed a" }]);
    await expect(desk.collect(leaving({ tests: ["out/*.xml"] }), container)).rejects.toThrow(RuntimeError);
  });
});
