/** Patterns of paths: what they match, where they are looked for, and that none of them takes long. */
import { expect, test } from "vitest";
import { pathPattern } from "../../src/results/path-pattern.ts";

test.each([
  ["reports/junit.xml", "/src/reports/junit.xml", ""],
  ["./reports/", "/src/reports/a/b.xml", "a/b.xml"],
  ["reports", "/src/reports", ""],
  ["reports", "/src/reports-old/a.xml", undefined],
  ["reports/*.xml", "/src/reports/a.xml", "a.xml"],
  ["reports/*.xml", "/src/reports/a/b.xml", undefined],
  ["reports/*.xml", "/src/reports/a.xml.gz", undefined],
  ["reports/*.xml", "/src/reports/.xml", undefined],
  ["**/junit.xml", "/src/junit.xml", "junit.xml"],
  ["**/junit.xml", "/src/a/b/junit.xml", "a/b/junit.xml"],
  ["**/junit.xml", "/src/.cache/junit.xml", undefined],
  ["a/**/b/**/c-*.x", "/src/a/b/b/q/b/z/c-1.x", "b/b/q/b/z/c-1.x"],
  ["a/**/b/**/c-*.x", "/src/a/q/c-1.x", undefined],
  ["dist/**", "/src/dist/a/b", "a/b"],
  ["dist/**", "/src/dist/.env", undefined],
  ["dist/.*", "/src/dist/.env", ".env"],
  ["file-?.txt", "/src/file-é.txt", "file-é.txt"],
  ["file-?.txt", "/src/file-.txt", undefined],
  ["{a,b/{c,d}}/x.*", "/src/b/d/x.y", "x.y"],
  ["{a,b/{c,d}}/x.*", "/src/c/x.y", undefined],
  ["a{b.txt", "/src/a{b.txt", ""],
  ["[id].js", "/src/[id].js", ""],
  ["/tmp/out/*", "/tmp/out/x", "x"],
  ["../other/*", "/other/x", "x"],
  [".", "/src/x/y", "x/y"],
])("%s and %s", (written, path, below) => {
  expect(pathPattern(written, "/src")?.match(path)).toBe(below);
});

test("what has to be copied out for a pattern", () => {
  expect(pathPattern("reports/{unit,e2e}/**/*.xml", "/src")?.bases).toEqual(["/src/reports/unit", "/src/reports/e2e"]);
  expect(pathPattern("{a,b}-*.xml", "/src")?.bases).toEqual(["/src"]);
  expect(pathPattern("/**", "/src")?.bases).toEqual(["/"]);
});

test("a pattern with too many choices, or too long, is none", () => {
  expect(pathPattern("{a,b}".repeat(30), "/src")).toBeUndefined();
  expect(pathPattern("a".repeat(2_000), "/src")).toBeUndefined();
});

test("no pair of pattern and path takes long", () => {
  const pairs = [
    [`${"*a".repeat(400)}b`, `/src/${"a".repeat(250)}`],
    [`${"**/a/".repeat(150)}b`, `/src/${"a/".repeat(500)}c`],
    [`${"**/*a*a*a/".repeat(50)}b`, `/src/${"aaaaaaaa/".repeat(110)}c`],
    [`${"{a,a}".repeat(6)}b`, `/src/${"a".repeat(250)}`],
  ];
  const before = performance.now();
  for (const [written, path] of pairs) expect(pathPattern(written ?? "", "/src")?.match(path ?? "")).toBeUndefined();
  expect(performance.now() - before).toBeLessThan(500);
});
