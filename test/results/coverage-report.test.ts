/** Reports that real tools wrote come to what these tools say of themselves; what is broken says what is wrong with it. */
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BrokenReport } from "../../src/results/broken-report.ts";
import { type CoverageReport, coveragePercent, totalsOf } from "../../src/results/coverage.ts";
import { normalisePaths } from "../../src/results/coverage-paths.ts";
import { readCoverageReport } from "../../src/results/coverage-report.ts";

const FIXTURES = join(import.meta.dirname, "../fixtures/coverage");
const fixture = (name: string) => join(FIXTURES, name);
const read = (name: string) => readCoverageReport(createReadStream(fixture(name)));
const readText = (text: string | Buffer) => readCoverageReport(Readable.from([Buffer.from(text)]));
const hitsOf = (report: CoverageReport, path: string) => {
  const file = report.files.find((each) => each.path === path);
  return Object.fromEntries([...(file?.lines ?? [])].map((line, index) => [line, file?.hits[index]]));
};

/** What the tool printed, as `[covered, total]`. */
async function said(name: string, pattern: RegExp): Promise<number[]> {
  return (pattern.exec(await readFile(fixture(name), "utf8")) ?? []).slice(1).map(Number);
}

const LINES = /^Lines +: [\d.]+% \( (\d+)\/(\d+) \)/m;

describe("O-63: a report of", () => {
  test.each([
    ["vitest's lcov", "javascript/vitest/lcov.info", "javascript/vitest/said.txt", LINES],
    ["vitest's Clover", "javascript/vitest/clover.xml", "javascript/vitest/said.txt", LINES],
    ["vitest's Cobertura", "javascript/vitest/cobertura-coverage.xml", "javascript/vitest/said.txt", LINES],
    ["vitest's Istanbul JSON", "javascript/vitest/coverage-final.json", "javascript/vitest/said.txt", LINES],
    ["c8's lcov", "javascript/c8/lcov.info", "javascript/c8/said.txt", LINES],
    ["c8's Clover", "javascript/c8/clover.xml", "javascript/c8/said.txt", LINES],
    ["c8's Cobertura", "javascript/c8/cobertura-coverage.xml", "javascript/c8/said.txt", LINES],
    ["c8's Istanbul JSON", "javascript/c8/coverage-final.json", "javascript/c8/said.txt", LINES],
    ["gcov and lcov", "c/lcov.info", "c/said.txt", /lines\.+: [\d.]+% \((\d+) of (\d+) lines\)/],
  ])("%s counts the lines that the tool counts", async (_, name, words, pattern) => {
    const { unit, covered, total } = totalsOf(await read(name));
    expect([unit, covered, total]).toEqual(["lines", ...(await said(words, pattern))]);
  });

  test("coverage.py counts the statements that the tool counts", async () => {
    const [statements = 0, missed = 0] = await said("python/said.txt", /^TOTAL +(\d+) +(\d+)/m);
    const { covered, total } = totalsOf(await read("python/coverage.xml"));
    expect([total, total - covered]).toEqual([statements, missed]);
    // Its lcov lists a docstring's line beside the class that it counts.
    const lcov = totalsOf(await read("python/lcov.info"));
    expect([lcov.total, lcov.total - lcov.covered]).toEqual([statements + 1, missed]);
  });

  test.each([
    ["go/cover.out", "go/said.txt"],
    ["go/count.out", "go/said-count.txt"],
  ])("go test has the total of `go tool cover -func`: %s", async (name, words) => {
    const report = await read(name);
    const [percent = 0] = await said(words, /^total:\s+\(statements\)\s+([\d.]+)%/m);
    expect(report.unit).toBe("statements");
    expect(coveragePercent(totalsOf(report))).toBeCloseTo(percent, 1);
  });
});

describe("lines", () => {
  test("are those that were run, whatever the format", async () => {
    const names = ["lcov.info", "clover.xml", "cobertura-coverage.xml", "coverage-final.json"];
    const files = new Set(["src/duration.js", "src/unused.js", "src/web/page.js"]);
    for (const tool of ["vitest", "c8"]) {
      const reports = await Promise.all(names.map((name) => read(`javascript/${tool}/${name}`)));
      const [first, ...others] = reports.map((report) => normalisePaths(report, files));
      expect(first?.files.map(({ path }) => path)).toEqual([...files]);
      for (const other of others) {
        for (const { path } of other.files) {
          const missed = (report: CoverageReport | undefined) =>
            report && Object.entries(hitsOf(report, path)).filter(([, hits]) => hits === 0);
          expect(missed(other), path).toEqual(missed(first));
        }
      }
    }
  });

  test("of a Go file are those of its blocks, each covered by any of them", async () => {
    const hits = hitsOf(await read("go/count.out"), "github.com/example/accounts/ledger/ledger.go");
    expect([hits[7], hits[9], hits[13], hits[19]]).toEqual([1, 0, 3, 0]);
  });

  test("of a file that is named several times are added up", async () => {
    const one = "TN:a\nSF:a.c\nDA:1,1\nDA:2,0\nDA:9,4\nend_of_record\n";
    const two = "TN:b\nSF:./a.c\nDA:2,3\nDA:1,1,checksum\nDA:5,-1\nend_of_record\n";
    const report = await readText(one + two);
    expect(hitsOf(report, "a.c")).toEqual({ 1: 2, 2: 3, 5: 0, 9: 4 });
    expect(totalsOf(report)).toEqual({ unit: "lines", covered: 3, total: 4 });
    const go = await readText("mode: set\nm/a.go:1.1,2.2 2 0\nm/a.go:3.1,3.9 1 0\nmode: set\nm/a.go:1.1,2.2 2 1\n");
    expect(totalsOf(go)).toEqual({ unit: "statements", covered: 2, total: 3 });
  });

  test("of a Cobertura class are its own; its methods' count where it has none", async () => {
    const lines = (hits: number) => `<lines><line number="1" hits="${hits}"/><line number="3" hits="0"/></lines>`;
    const xml = (methods: string, own: string) =>
      `<coverage><packages><package><classes><class filename="A.java"><methods><method name="m">${methods}</method></methods>${own}</class></classes></package></packages></coverage>`;
    expect(hitsOf(await readText(xml(lines(2), lines(2))), "A.java")).toEqual({ 1: 2, 3: 0 });
    expect(hitsOf(await readText(xml(lines(2), "")), "A.java")).toEqual({ 1: 2, 3: 0 });
  });

  test("are read with a byte order mark, in UTF-16, in Latin-1 and with Windows' line ends", async () => {
    const xml =
      '<?xml version="1.0" encoding="iso-8859-1"?><coverage><project><file name="é.c"><line num="1" count="2"/></file></project></coverage>';
    expect(hitsOf(await readText(Buffer.from(xml, "latin1")), "é.c")).toEqual({ 1: 2 });
    expect(hitsOf(await readText(Buffer.from(`\ufeff${xml}`, "utf16le")), "é.c")).toEqual({ 1: 2 });
    expect(hitsOf(await readText("\ufeffTN:\r\nSF:C:\\w\\a.c\r\nDA:1,2\r\nend_of_record\r\n"), "C:/w/a.c")).toEqual({
      1: 2,
    });
    expect(hitsOf(await readText("mode: set\r\nm/a.go:1.1,1.2 2 1\r\n"), "m/a.go")).toEqual({ 1: 1 });
  });
});

describe("what is no report, or a part of one,", () => {
  const page = "<coverage><packages><package><classes>";
  test.each([
    ["nothing", "", "is empty"],
    ["blanks", " \n\n", "is empty"],
    ["a page", "<!doctype html><html><body>404</body></html>", "is XML of <html>"],
    ["a JUnit report", "<testsuites/>", "is XML of <testsuites>"],
    ["a log", "PASS\nok 1\n", "is not lcov, Cobertura, Clover, a Go cover profile or Istanbul's JSON"],
    ["a package.json", '{ "name": "a", "scripts": { "test": "x" } }', "is JSON, but not Istanbul's"],
    ["JSON that breaks", '{ "a.js": { "path": "a.js", }}', "has an entry that is not JSON"],
    ["half of an lcov", "TN:\nSF:a.c\nDA:1,1\nDA:2,", "has at line 4 what is no record of lcov's"],
    ["an lcov without its end", "TN:\nSF:a.c\nDA:1,1\n", "is cut off at line 3"],
    ["an lcov of no file", "TN:\n", "names no file"],
    ["lines of no file", "TN:\nDA:1,1\n", "has at line 2 what is no record of lcov's"],
    ["an endless file", "TN:\nSF:a.c\nDA:99999999999,1\nend_of_record\n", "names line 4294967295 of a file"],
    ["half of a profile", "mode: set\na/b.go:1.2,3.4 5", "is cut off at line 2"],
    ["a profile of something else", "mode: set\na/b.go 1\n", "has at line 2 what is no block of a Go cover profile"],
    [
      "a profile that spans a billion",
      "mode: set\na/b.go:1.1,99999999.1 1 1\n",
      "has at line 2 a block from line 1 to line 99999999",
    ],
    ["half of an XML", `${page}<class filename="a.py"><lines><line number="1" hits="1"/>`, "is cut off at line 1"],
    [
      "a line without a number",
      `${page}<class filename="a.py"><lines><line hits="1"/>`,
      "has a line whose number is missing",
    ],
    ["half of Istanbul's", '{"a.js":{"path":"a.js","statementMap":{},"s":{}}', "is cut off"],
  ])("%s, says so", async (_, text, message) => {
    await expect(readText(text)).rejects.toThrow(new BrokenReport(message));
  });

  test("can have entities and a DTD elsewhere, which nobody reads", async () => {
    const dtd =
      '<!DOCTYPE coverage [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY x SYSTEM "file:///etc/passwd">]>';
    const report = await readText(
      `<?xml version="1.0"?>${dtd}<coverage><sources><source>&x;</source></sources><packages><package><classes><class filename="&b;&x;.py"><lines><line number="1" hits="1"/></lines></class></classes></package></packages></coverage>`,
    );
    expect(report.files.map(({ path }) => path)).toEqual(["&x;/&b;&x;.py"]);
  });

  test("has no control characters left in its paths", async () => {
    const report = await readText(`TN:\nSF:a\u0007\u001b[31m${"x".repeat(5_000)}\nDA:1,1\nend_of_record\n`);
    expect(report.files[0]?.path).toMatch(/^a\ufffd\ufffd\[31mx+$/);
    expect(report.files[0]?.path).toHaveLength(1_000);
  });

  test("fails with what its source fails with", async () => {
    const broken = new Readable({
      read() {
        this.destroy(new Error("the engine is gone"));
      },
    });
    await expect(readCoverageReport(broken)).rejects.toThrow("the engine is gone");
  });
});

describe("any", () => {
  const names = [
    "javascript/vitest/lcov.info",
    "javascript/vitest/clover.xml",
    "javascript/c8/cobertura-coverage.xml",
    "javascript/c8/coverage-final.json",
    "go/cover.out",
  ];
  const inPieces = (bytes: Buffer, cuts: readonly number[]) => {
    const places = [0, ...cuts.map((cut) => cut % bytes.length).toSorted((a, b) => a - b), bytes.length];
    return Readable.from(places.slice(1).map((end, index) => bytes.subarray(places[index], end)));
  };

  test.each(names)("pieces of %s make the same report", async (name) => {
    const bytes = await readFile(fixture(name));
    const whole = await readCoverageReport(Readable.from([bytes]));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { maxLength: 30 }), async (cuts) => {
        expect(await readCoverageReport(inPieces(bytes, cuts))).toEqual(whole);
      }),
      { numRuns: 50 },
    );
  });

  test.each(names)("damage to %s, or any bytes, are a report or a BrokenReport", async (name) => {
    const bytes = await readFile(fixture(name));
    const readable = async (damaged: Buffer, cuts: readonly number[]) => {
      try {
        await readCoverageReport(inPieces(damaged, cuts));
      } catch (error) {
        expect(error).toBeInstanceOf(BrokenReport);
      }
    };
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.uint8Array({ maxLength: 40 }),
        fc.array(fc.nat(), { maxLength: 4 }),
        async (at, by, cuts) => {
          const damaged = Buffer.from(bytes);
          damaged.set(by.subarray(0, damaged.length - (at % damaged.length)), at % damaged.length);
          await readable(damaged, cuts);
          await readable(damaged.subarray(0, at % damaged.length), cuts);
          await readable(Buffer.from(by), []);
        },
      ),
      { numRuns: 100 },
    );
  });
});
