/** Earlier builds that failed in the same way, in the record and in words. */
import { expect, test } from "vitest";
import { Build } from "../../src/builds/build.ts";
import { sameFailure, sameFailureWords } from "../../src/why/same-failure.ts";
import { failureWords } from "../../src/why/words.ts";
import { ADA, ago, revisionOf } from "../support/records.ts";

function build(number: number, digit: string, signature?: string): Build {
  const explanation = { kind: "tests", line: "boom", excerpt: [], files: [], signature };
  return Build.parse({
    number,
    project: "docker",
    ref: "main",
    revision: revisionOf(digit),
    requester: ADA,
    params: {},
    attempt: 1,
    requestedAt: ago(60),
    state: {
      kind: signature === undefined ? "passed" : "failed",
      startedAt: ago(60),
      finishedAt: ago(0),
      ...(signature && { reason: "x" }),
    },
    steps: [],
    ...(signature && { results: { explanation } }),
  });
}

const said = (...builds: Build[]): string => sameFailureWords(sameFailure({ signature: "a" }, builds, 50));

test.each([
  ["", [build(50, "5", "a"), build(31, "1", "b"), build(60, "6", "a")]],
  ["same failure as #31", [build(31, "1", "a"), build(32, "2")]],
  ["same failure as #31 (fixed by retrying)", [build(31, "1", "a"), build(32, "1")]],
  [
    "same failure as #31 and #37 (both fixed by retrying)",
    [build(37, "3", "a"), build(38, "3"), build(31, "1", "a"), build(33, "1")],
  ],
  ["same failure as #31 and #37 (#37 fixed by retrying)", [build(31, "1", "a"), build(37, "3", "a"), build(38, "3")]],
  ["same failure as #33, #34, #35 and 2 more", [31, 32, 33, 34, 35].map((number) => build(number, "1", "a"))],
  ["same failure as #31", [build(30, "1"), build(31, "1", "a")]],
])("%s", (words, builds) => {
  expect(said(...builds)).toBe(words);
});

test("the line of a notice has room for 120 characters", () => {
  expect(failureWords({ line: "TestA: boom" })).toBe("TestA: boom");
  const long = failureWords({ line: "é".repeat(500) });
  expect([[...long].length, long.at(-1)]).toEqual([120, "…"]);
});
