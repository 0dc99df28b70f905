/** What a commit and a pull request are told, in the words they are told it with. */
import { describe, expect, test } from "vitest";
import { Build, type FinalState, type FinishedBuild } from "../../src/builds/build.ts";
import { Sha } from "../../src/names.ts";
import type { BuildResults } from "../../src/results/summary.ts";
import { commentOf } from "../../src/triggers/pull-request-comment.ts";
import { statusOf } from "../../src/triggers/statuses.ts";
import { ADA, ago, revisionOf } from "../support/records.ts";

const URL = "https://ci.example.org";
const revision = revisionOf("0", {
  kind: "pull_request",
  pullRequest: { number: 12, base: Sha.parse("1".repeat(40)) },
});
const PASSED: FinalState = { kind: "passed", startedAt: ago(178), finishedAt: ago(0) };
const FAILED: FinalState = { ...PASSED, kind: "failed", reason: "step tests, exit 1" };
const totals = (covered: number) => ({ unit: "lines" as const, covered, total: 1_000 });
const coverage: BuildResults["coverage"] = {
  totals: totals(617),
  change: { kind: "since", build: Build.shape.number.parse(41), totals: totals(619) },
  patch: { covered: 9, total: 12 },
};

function finished(state: FinalState, results?: BuildResults): FinishedBuild & { revision: typeof revision } {
  const failedTests = results?.tests !== undefined && results.tests.failed > 0;
  const step = { name: "tests", kind: "run", state: "failed", durationMs: 1, tests: results?.tests };
  const build = Build.parse({
    number: 42,
    project: "docker-registry",
    ref: "main",
    requester: ADA,
    params: {},
    attempt: 1,
    requestedAt: ago(600),
    state,
    steps: failedTests ? [step] : [],
    ...(results === undefined ? {} : { results }),
  });
  return { ...build, state, revision };
}

function tests(failing: readonly { readonly name: string; readonly message?: string }[]): BuildResults["tests"] {
  const failed = failing.length;
  return {
    total: 1_204,
    failed,
    skipped: 0,
    durationMs: 1,
    failing: failing.map((test) => ({ suite: "", ...test })),
    flaky: [],
    slowest: [],
  };
}

const long = "TestThatHasANameWhichGoesOnAndOnUntilNobodyReadsItAnyMore".repeat(2);

test.each<[string, FinalState, BuildResults | undefined, string, string]>([
  ["passed", PASSED, undefined, "success", "passed in 2m58s"],
  [
    "passed with tests",
    PASSED,
    { tests: tests([]), coverage },
    "success",
    "passed in 2m58s · 1,204 tests · coverage 61.7% (-0.2)",
  ],
  ["failed", FAILED, undefined, "failure", "step tests, exit 1"],
  [
    "failed in tests",
    FAILED,
    { tests: tests([{ name: "TestBlobUpload" }, { name: "TestCatalog" }]), coverage },
    "failure",
    "2 of 1,204 tests: TestBlobUpload, TestCatalog · coverage 61.7% (-0.2)",
  ],
  [
    "errored",
    { ...PASSED, kind: "errored", reason: "the engine is away", tries: 3 },
    undefined,
    "error",
    "could not run: the engine is away",
  ],
  [
    "cancelled",
    { kind: "cancelled", finishedAt: ago(0), by: "ada", reason: "a newer push" },
    undefined,
    "error",
    "cancelled by ada: a newer push",
  ],
])("a status: %s", (_what, state, results, expectedState, description) => {
  expect(statusOf(finished(state, results), URL)).toEqual({
    sha: revision.sha,
    state: expectedState,
    description,
    url: "https://ci.example.org/builds/42",
    context: "docker-ci/docker-registry",
  });
});

describe("a description fits a forge", () => {
  test("long names are cut, and the coverage behind them is still seen", () => {
    const results = { tests: tests([{ name: long }, { name: long }, { name: long }]), coverage };
    const { description } = statusOf(finished(FAILED, results), URL);
    expect(description.length).toBeLessThanOrEqual(140);
    expect(description).toMatch(/^3 of 1,204 tests: TestThat.*… · coverage 61\.7% \(-0\.2\)$/);
  });

  test("without controls, direction marks, or what GitHub's column cannot hold", () => {
    const state: FinalState = { ...FAILED, reason: "step 🚀\u001b[31m\u202ex\nsecond line" };
    expect(statusOf(finished(state), URL).description).toBe("step ?x second line");
  });
});

describe("a comment", () => {
  test("says what failed, and of how many lines of the change were run", () => {
    const results = { tests: tests([{ name: "TestBlobUpload", message: "want 202, got 500" }]), coverage };
    expect(commentOf(finished(FAILED, results), URL)).toBe(
      [
        "✘ **[docker-registry #42](https://ci.example.org/builds/42) failed** in 2m58s · [log](https://ci.example.org/builds/42/log)",
        "0000000 merged into 1111111 of `main`",
        "```text\n1 of 1,204 tests: TestBlobUpload\n\n✘ TestBlobUpload\n    want 202, got 500\n```",
        "coverage 61.7% (-0.2) · patch 9 of 12 lines (75.0%)",
      ].join("\n\n"),
    );
  });

  test("nothing from outside breaks out of its fence", () => {
    const name = "a ```` b";
    const message = "```\n@everyone <img src=x> [x](https://evil.example)\n```";
    const text = commentOf(finished(FAILED, { tests: tests([{ name, message }]) }), URL);
    const [, fence = "", inside = ""] = /\n(`{3,})text\n([\s\S]*)\n\1$/.exec(text) ?? [];
    expect(fence).toBe("`````");
    expect(inside).toContain("@everyone <img src=x>");
    expect(inside).not.toContain(fence);
  });

  test("of a conflict names every file", () => {
    const conflicts = ["a", "b", "c", "d", "e", "f", "g"].map((name) => `src/${name}.go`);
    const reason = "conflicts with its target in src/a.go, src/b.go, src/c.go, src/d.go, src/e.go and 2 more";
    const text = commentOf(finished({ ...FAILED, reason, conflicts }), URL);
    expect(text).toContain("and 2 more\n\nsrc/a.go\n");
    expect(text).toContain("src/g.go\n```");
  });

  test("of one that passed has no empty parts", () => {
    expect(commentOf(finished(PASSED), URL).split("\n\n")).toEqual([
      expect.stringContaining("✔ **[docker-registry #42]"),
      "0000000 merged into 1111111 of `main`",
    ]);
  });
});
