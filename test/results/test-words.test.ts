/** Tests as result lines and mails tell of them. */
import { describe, expect, test } from "vitest";
import type { TestSummary } from "../../src/results/summary.ts";
import { failingLines, flakyWords, testWords } from "../../src/results/test-words.ts";

const NONE: TestSummary = { total: 0, failed: 0, skipped: 0, durationMs: 0, failing: [], flaky: [], slowest: [] };
const failing = (...names: string[]) => names.map((name) => ({ suite: "registry/handlers", name }));

describe("a line of chat", () => {
  test.each<[string, Partial<TestSummary>]>([
    ["1,204 tests", { total: 1204 }],
    ["1 test", { total: 1 }],
    [
      "2 of 1,204 tests: TestBlobUpload, TestCatalog",
      { total: 1204, failed: 2, failing: failing("TestBlobUpload", "TestCatalog") },
    ],
    ["5 of 9 tests: A, B, C and 2 more", { total: 9, failed: 5, failing: failing("A", "B", "C", "D", "E") }],
    ["1 of 2 tests: adds two lines", { total: 2, failed: 1, failing: failing("adds \n two   lines ") }],
  ])("%s", (words, changes) => {
    expect(testWords({ ...NONE, ...changes })).toBe(words);
  });

  test("a name of any length is cut", () => {
    expect(testWords({ ...NONE, total: 1, failed: 1, failing: failing("x".repeat(5_000)) }).length).toBeLessThan(90);
  });

  test("tests that passed only when they were run again are named", () => {
    expect(flakyWords({ ...NONE, flaky: failing("TestBlobUpload") })).toBe("1 flaky: TestBlobUpload");
    expect(flakyWords(NONE)).toBe("");
  });
});

test("a mail names the failing tests with what they said, and how many more there are", () => {
  const [first] = failing("TestBlobUpload");
  const message = "api_test.go:512: expected 201, got 500\n\n  a\n  b\n  c\n  d";
  const tests = { ...NONE, total: 30, failed: 3, failing: first === undefined ? [] : [{ ...first, message }] };
  expect(failingLines(tests)).toEqual([
    "✘ registry/handlers › TestBlobUpload",
    "    api_test.go:512: expected 201, got 500",
    "      a",
    "      b",
    "… and 2 more",
  ]);
});
