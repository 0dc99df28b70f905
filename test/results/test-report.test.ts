/** Test reports as real tools wrote them (test/fixtures/reports), as nobody should write them, and of any bytes at all. */
import { createReadStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BrokenReport } from "../../src/results/broken-report.ts";
import { MESSAGE_LENGTH, TestCase, testLabel } from "../../src/results/test-case.ts";
import { readTestReport } from "../../src/results/test-report.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const FIXTURES = fileURLToPath(new URL("../fixtures/reports", import.meta.url));

interface Read {
  readonly tests: readonly TestCase[];
  /** What is wrong with it. */
  readonly broken: string | undefined;
}

async function read(source: Readable): Promise<Read> {
  const tests: TestCase[] = [];
  try {
    for await (const batch of readTestReport(source)) tests.push(...batch);
  } catch (error) {
    if (!(error instanceof BrokenReport)) throw error;
    return { tests, broken: error.message };
  }
  return { tests, broken: undefined };
}

const readText = (text: string | Buffer): Promise<Read> => read(Readable.from([Buffer.from(text)]));
const readFixture = (name: string): Promise<Read> => read(createReadStream(join(FIXTURES, name)));

/** `suite › name | first line of the message | file:line` of every failing test. */
function failures({ tests }: Read): string[] {
  return tests
    .filter(({ state }) => state === "failed")
    .map(({ message = "", file = "", line, ...name }) => {
      return [testLabel(name), message.split("\n", 1)[0], `${file}${line === undefined ? "" : `:${line}`}`].join(" | ");
    });
}

const API = "example.org/shop/api";
const GO_API = [
  `${API} › TestBlobUpload | api_test.go:12: expected 201, got 500 | api_test.go:12`,
  `${API} › TestTable/second_case | api_test.go:18: no such blob | api_test.go:18`,
];
const GO_OTHERS = [
  "example.org/shop/crash › TestCrash | panic: assignment to entry in nil map | /app/crash/crash_test.go:9",
  "example.org/shop/slow › TestHangs | panic: test timed out after 2s | /app/slow/slow_test.go:8",
];
const EXAMPLE = `${API} › ExampleGreet | got: hallo, want: hello | `;

describe("reports of real tools", () => {
  test.each<[string, total: number, skipped: number, failures: readonly string[]]>([
    [
      "jest-junit.xml",
      5,
      1,
      [
        'math › subtracts <a> & "b" | expect(received).toBe(expected): Expected: 3, Received: 2 | math.test.js:3',
        "math › division by zero | TypeError: cannot divide by zero red | math.test.js:5",
      ],
    ],
    [
      "jest-junit-suite-error.xml",
      2,
      0,
      [
        "Test suite failed to run › broken.test.js | no database | broken.test.js:1",
        "Test suite failed to run › broken.test.js | {} | ",
      ],
    ],
    [
      "vitest.xml",
      5,
      1,
      [
        'math.test.js › math > subtracts <a> & "b" | AssertionError: expected 2 to be 3 // Object.is equality | math.test.js:4',
        "math.test.js › math > division > by zero | TypeError: cannot divide by zero red | math.test.js:6",
      ],
    ],
    [
      "mocha-junit-reporter.xml",
      4,
      0,
      [
        'math › subtracts <a> & "b" | AssertionError: 2 == 3 | mocha/math.js:4',
        "math division › by zero | TypeError: cannot divide by zero red | mocha/math.js:6",
      ],
    ],
    [
      "mocha-xunit.xml",
      5,
      1,
      [
        'math › subtracts <a> & "b" | 2 == 3 | /app/mocha/math.js:4',
        "math division › by zero | cannot divide by zero red | /app/mocha/math.js:6",
      ],
    ],
    [
      "node.xml",
      5,
      1,
      [
        'math › subtracts <a> & "b" | 2 == 3 | /app/node/math.test.js:5',
        "math › division › by zero | cannot divide by zero red | /app/node/math.test.js:7",
      ],
    ],
    [
      "pytest.xml",
      6,
      1,
      [
        "tests.test_math › test_subtracts[2] | AssertionError: wrong red | tests/test_math.py:8",
        "tests.test_math.TestDivision › test_by_zero | ZeroDivisionError: division by zero | tests/test_math.py:12",
        'tests.test_math › test_stores | failed on setup with "RuntimeError: no database" | tests/test_math.py:20',
      ],
    ],
    [
      "pytest-xunit1.xml",
      6,
      1,
      [
        "tests.test_math › test_subtracts[2] | AssertionError: wrong red | tests/test_math.py:5",
        "tests.test_math.TestDivision › test_by_zero | ZeroDivisionError: division by zero | tests/test_math.py:10",
        'tests.test_math › test_stores | failed on setup with "RuntimeError: no database" | tests/test_math.py:21',
      ],
    ],
    ["gotestsum.xml", 10, 1, [...GO_API, `${API} › TestTable | Failed | `, EXAMPLE, ...GO_OTHERS]],
    [
      "go-junit-report.xml",
      5,
      1,
      [
        `${API} › TestBlobUpload | api_test.go:12: expected 201, got 500 | api_test.go:12`,
        "example.org/shop/broken › [build failed] | broken/broken_test.go:5:34: undefined: undefined | broken/broken_test.go:5",
      ],
    ],
    [
      "go-junit-report-1.xml",
      2,
      0,
      [`${API} › TestBlobUpload | api_test.go:12: expected 201, got 500 | api_test.go:12`],
    ],
    ["go-test-api.json", 7, 1, [...GO_API, `${API} › TestTable | its part second_case failed | `, EXAMPLE]],
    [
      "go-test.json",
      11,
      1,
      [
        ...GO_API,
        `${API} › TestTable | its part second_case failed | `,
        EXAMPLE,
        "example.org/shop/broken › [build failed] |  | ",
        ...GO_OTHERS,
      ],
    ],
    [
      "surefire.xml",
      5,
      1,
      [
        "org.example.MathTest › subtracts | java.lang.AssertionError: wrong <a> & b expected:<3> but was:<2> | MathTest.java:9",
        "org.example.MathTest › divides | java.lang.ArithmeticException: / by zero | MathTest.java:10",
      ],
    ],
  ])("%s", async (file, total, skipped, failing) => {
    const report = await readFixture(file);
    expect(report.broken).toBeUndefined();
    expect(report.tests).toHaveLength(total);
    expect(report.tests.filter(({ state }) => state === "skipped")).toHaveLength(skipped);
    expect(failures(report)).toEqual(failing);
    for (const each of report.tests) expect(TestCase.parse(each)).toEqual(each);
  });

  test("a test that Maven ran again until it passed is flaky", async () => {
    const { tests } = await readFixture("surefire.xml");
    expect(tests.filter(({ flaky }) => flaky).map(testLabel)).toEqual(["org.example.MathTest › flickers"]);
  });
});

const suite = (inside: string): string => `<testsuites><testsuite name="s">${inside}</testsuite></testsuites>`;
const one = (attributes: string, inside = ""): string => suite(`<testcase ${attributes}>${inside}</testcase>`);
const names = ({ tests }: Read): string[] => tests.map(testLabel);

describe("dialects", () => {
  test.each<[string, string, number]>([
    ["seconds", "0.012", 12],
    ["a thousand", "1,234.5", 1_234_500],
    ["a thousand without a fraction", "1,234", 1_234_000],
    ["a decimal comma", "0,012", 12],
    ["a tiny one", "1.2e-05", 0.012],
    ["nothing", "", 0],
    ["a word", "soon", 0],
    ["less than nothing", "-0.5", 0],
    ["more than there is", "1e400", 0],
  ])("a time: %s", async (_what, time, durationMs) => {
    expect((await readText(one(`name="a" time="${time}"`))).tests[0]?.durationMs).toBe(durationMs);
  });

  test("counts in the report that are wrong or missing change nothing", async () => {
    const { tests } = await readText(
      '<testsuite tests="9" failures="-1" errors="x"><testcase name="a"/><testcase name="b"><error/></testcase></testsuite>',
    );
    expect(tests.map(({ state }) => state)).toEqual(["passed", "failed"]);
  });

  test("two tests of one name are two", async () => {
    expect(names(await readText(suite('<testcase name="a"/><testcase name="a"/>')))).toEqual(["s › a", "s › a"]);
  });

  test("what programs print is not what failed, and no test is made of it", async () => {
    const output =
      "<system-out><![CDATA[<testcase name='x'><failure/>]]></system-out><system-err>panic: no</system-err>";
    const report = await readText(one('name="a"', `${output}<failure message="why"/>`));
    expect(failures(report)).toEqual(["s › a | why | "]);
  });

  test("a suite that fails as a whole is a failing test", async () => {
    expect(failures(await readText(suite('<error message="no database"/>')))).toEqual([
      "s › (whole suite) | no database | ",
    ]);
  });

  test("of several failures of a test the first counts, and skipped with a failure is failed", async () => {
    const inside = '<skipped/><failure message="first"/><failure message="second"/>';
    expect(failures(await readText(one('name="a"', inside)))).toEqual(["s › a | first | "]);
  });

  test("testify's block says what was not equal", async () => {
    const text = `    a_test.go:7: \n        \tError Trace:\ta_test.go:7\n        \tError:      \tNot equal: \n        \t            \texpected: 1\n        \t            \tactual  : 2\n        \tTest:       \tTestA\n`;
    const report = await readText(one('name="TestA"', `<failure message="Failed">${text}</failure>`));
    expect(failures(report)).toEqual(["s › TestA | a_test.go:7: Not equal: expected: 1 actual  : 2 | a_test.go:7"]);
  });

  test.each<[string, Buffer]>([
    ["UTF-8 with a byte order mark", Buffer.from(`\uFEFF${one('name="é"')}`)],
    ["UTF-16, little endian", Buffer.from(`\uFEFF${one('name="é"')}`, "utf16le")],
    ["UTF-16, big endian", Buffer.from(`\uFEFF${one('name="é"')}`, "utf16le").swap16()],
    ["Latin 1", Buffer.from(`<?xml version="1.0" encoding="ISO-8859-1"?>\n${one('name="é"')}`, "latin1")],
    ["an encoding that nobody knows", Buffer.from(`<?xml version="1.0" encoding="x-none"?>${one('name="é"')}`)],
    ["UTF-16 in name only", Buffer.from(`<?xml version="1.0" encoding="UTF-16"?>${one('name="é"')}`)],
  ])("%s", async (_encoding, bytes) => {
    expect(names(await readText(bytes))).toEqual(["s › é"]);
  });

  test("several documents in one file are all read", async () => {
    const document = `<?xml version="1.0"?>${one('name="a"')}\n`;
    expect(names(await readText(document + document))).toHaveLength(2);
  });
});

describe("go test -json", () => {
  const event = (fields: Record<string, unknown>): string => `${JSON.stringify({ Package: "p", ...fields })}\n`;

  test("what the compiler said is the message of a package that does not build (Go 1.24)", async () => {
    const report = await readText(
      [
        event({ ImportPath: "p [p.test]", Action: "build-output", Output: "# p [p.test]\n", Package: undefined }),
        event({
          ImportPath: "p [p.test]",
          Action: "build-output",
          Output: "./a.go:3:5: undefined: x\n",
          Package: undefined,
        }),
        event({ ImportPath: "p [p.test]", Action: "build-fail", Package: undefined }),
        event({ Action: "start" }),
        event({ Action: "output", Output: "FAIL\tp [build failed]\n" }),
        event({ Action: "fail", Elapsed: 0, FailedBuild: "p [p.test]" }),
      ].join(""),
    );
    expect(report.broken).toBeUndefined();
    expect(failures(report)).toEqual(["p › [build failed] | ./a.go:3:5: undefined: x | ./a.go:3"]);
  });

  test("the same where it stands between the events, as older ones print it", async () => {
    const report = await readText("# p [p.test]\n./a.go:3:5: undefined: x\nFAIL\tp [build failed]\n");
    expect(failures(report)).toEqual(["p › [build failed] | ./a.go:3:5: undefined: x | ./a.go:3"]);
  });

  test("a test that is not heard of again did not end, and a report that stops is broken", async () => {
    const report = await readText(event({ Action: "run", Test: "TestA" }) + event({ Action: "run", Test: "TestB" }));
    expect(failures(report)).toEqual(["p › TestA | did not end | ", "p › TestB | did not end | "]);
    expect(report.broken).toBe("stops before the tests of p have ended");
  });

  test("a package that fails with no failing test is told", async () => {
    const report = await readText(
      event({ Action: "output", Output: "a.go:1: cannot connect\n" }) + event({ Action: "fail", Elapsed: 1 }),
    );
    expect(failures(report)).toEqual(["p › [failed] | a.go:1: cannot connect | a.go:1"]);
  });

  test("a failure is found behind any amount of output", async () => {
    const output = event({ Action: "output", Test: "TestA", Output: `${"x".repeat(200)}\n` }).repeat(1_000);
    const report = await readText(
      event({ Action: "run", Test: "TestA" }) +
        output +
        event({ Action: "output", Test: "TestA", Output: "    a_test.go:9: want 1, got 2\n" }) +
        event({ Action: "fail", Test: "TestA", Elapsed: 0.5 }) +
        event({ Action: "fail" }),
    );
    expect(failures(report)).toEqual(["p › TestA | a_test.go:9: want 1, got 2 | a_test.go:9"]);
  });
});

describe("what is broken", () => {
  const entities = Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join("");
  test.each<[string, string, string, string[]]>([
    ["nothing", "", "is empty", []],
    ["only empty lines", "\n\n \n", "has only empty lines", []],
    ["a page", "<!DOCTYPE html>\n<html><body>", "is HTML, and no test report", []],
    ["coverage", "<coverage/>", "begins with <coverage>, where JUnit XML has <testsuites>", []],
    ["text", "ok 1 - a\n", "is neither JUnit XML nor the output of go test -json", []],
    ["JSON of others", '{"tests":3}\n', "is neither JUnit XML nor the output of go test -json", []],
    ["one that is cut off", '<testsuite>\n<testcase name="a"/>\n<testcase name="b"', "is cut off at line 3", ["a"]],
    ["one without its last tag", '<testsuite>\n<testcase name="a"/>\n', "is cut off at line 3", ["a"]],
    [
      "tags that cross",
      '<testsuite><testcase name="a"/>\n<testcase></testsuite></testcase>',
      "closes <testsuite> at line 2, where <testcase> is open",
      ["a"],
    ],
    [
      "a billion laughs",
      `<!DOCTYPE x [<!ENTITY l0 "ha">${entities}]><testsuite name="&l9;"/>`,
      "declares entities of its own at line 1, which are never read",
      [],
    ],
    ["elements in elements", "<testsuite>".repeat(1_000), "has more than 200 elements inside each other at line 1", []],
  ])("%s", async (_what, text, broken, tests) => {
    const report = await readText(text);
    expect(report.broken).toBe(broken);
    expect(names(report)).toEqual(tests);
  });

  test("an external entity reads no file", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "secret");
    await writeFile(path, "hunter2");
    const entity = `<!DOCTYPE x [<!ENTITY e SYSTEM "file://${path}">]>`;
    const report = await readText(`${entity}<testsuite><testcase name="&e;"/></testsuite>`);
    expect(report).toEqual({ tests: [], broken: "declares entities of its own at line 1, which are never read" });
    // Without its declaration it is text; and a document that only names its type is one like any other.
    expect(
      names(await readText('<!DOCTYPE testsuite SYSTEM "x.dtd"><testsuite><testcase name="&e;"/></testsuite>')),
    ).toEqual(["&e;"]);
  });

  test("names and messages are one line without controls, and bounded", async () => {
    const long = "n".repeat(5_000);
    const { tests } = await readText(
      suite(
        [
          `<testcase name="${long}1"/><testcase name="${long}2"/>`,
          '<testcase name="a\u0000\u0007\u001b[31mb\n c\u202e&#0;&#27;"><failure message="x\u0007\u001b[2J\ny"/></testcase>',
          `<testcase name="m"><failure>${"&#x7;line\n".repeat(100_000)}</failure></testcase>`,
        ].join(""),
      ),
    );
    expect(new Set(tests.map(({ name }) => name)).size).toBe(4);
    for (const { name } of tests) expect(name.length).toBeLessThanOrEqual(500);
    expect(tests[2]).toMatchObject({ name: "ab c\uFFFD", message: "x\ny" });
    expect(tests[3]?.message?.length).toBeLessThanOrEqual(MESSAGE_LENGTH);
    for (const { message = "" } of tests) expect(message).not.toMatch(/[^\P{Cc}\n]/u);
  });

  test("attributes, texts and comments of megabytes take no more memory than small ones", async () => {
    const megabyte = Buffer.alloc(1024 * 1024, "x");
    const parts: (string | number)[] = [
      '<testsuite name="s"><testcase name="',
      64,
      '"/><testcase name="b"><failure>',
      64,
      "</failure><system-out><![CDATA[",
      64,
      "]]></system-out></testcase><!--",
      64,
      '--><testcase name="c"/></testsuite>',
    ];
    function* bytes(): Generator<Buffer> {
      for (const part of parts) {
        if (typeof part === "string") yield Buffer.from(part);
        else for (let count = 0; count < part; count += 1) yield megabyte;
      }
    }
    const before = process.memoryUsage().rss;
    const report = await read(Readable.from(bytes()));
    expect(report.broken).toBeUndefined();
    expect(report.tests.map(({ name }) => name.slice(0, 1))).toEqual(["x", "b", "c"]);
    expect(process.memoryUsage().rss - before).toBeLessThan(80 * 1024 * 1024);
  });
});

describe("any bytes", () => {
  const FRAGMENTS = [
    "<testsuites>",
    "<testsuite name='s' ",
    '<testcase name="a"',
    "<failure message='m'>",
    "</failure>",
    "</testcase>",
    "</testsuite>",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "<!DOCTYPE ",
    "<?xml ",
    "?>",
    "&lt;",
    "&#x1F600;",
    "&am",
    "&#",
    ">",
    "/>",
    "[",
    "\n",
    "é",
    '{"Action":"run","Package":"p","Test":"T"}\n',
    '{"Action":"fail","Package":"p","Test":"T"}\n',
    '{"Action":"output","Package":"p","Output":"a_test.go:1: no\\n"}\n',
    '{"Action":"fail","Package":"p"}\n',
  ];
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 600 }).map((array) => Buffer.from(array)),
    fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 40 }).map((parts) => Buffer.from(parts.join(""))),
    fc
      .array(fc.constantFrom(...FRAGMENTS), { maxLength: 30 })
      .map((parts) => Buffer.from(`<testsuites><testsuite><testcase name="x">${parts.join("")}`)),
  );

  test("make a report or a broken one, and no other error", async () => {
    await fc.assert(
      fc.asyncProperty(bytes, async (content) => {
        const { tests } = await readText(content);
        for (const each of tests) TestCase.parse(each);
      }),
      { numRuns: 2_000 },
    );
  });

  test("say the same in whatever pieces they come", async () => {
    await fc.assert(
      fc.asyncProperty(bytes, fc.integer({ min: 1, max: 17 }), async (content, size) => {
        const pieces = Array.from({ length: Math.ceil(content.length / size) }, (_, index) =>
          content.subarray(index * size, (index + 1) * size),
        );
        expect(await read(Readable.from(pieces))).toEqual(await readText(content));
      }),
      { numRuns: 1_000 },
    );
  });

  test("a real report too, cut into pieces of any size", async () => {
    const whole = await readFixture("jest-junit.xml");
    for (const size of [600, 601, 1_023]) {
      const source = createReadStream(join(FIXTURES, "jest-junit.xml"), { highWaterMark: size });
      expect(await read(source)).toEqual(whole);
    }
  });
});
