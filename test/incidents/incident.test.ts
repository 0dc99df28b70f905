/** What the end of a build means for its branch: edges are news, repetition is not. */
import { describe, expect, test } from "vitest";
import { Build, type FinishedBuild, isFinished } from "../../src/builds/build.ts";
import { type BranchState, judge } from "../../src/incidents/incident.ts";

const AT = new Date("2026-03-01T12:00:00.000Z");
const ENDS = { startedAt: "2026-03-01T11:58:00.000Z", finishedAt: AT.toISOString() };
const STATES = {
  passed: { kind: "passed", ...ENDS },
  failed: { kind: "failed", ...ENDS, reason: "step tests, exit 1" },
  errored: { kind: "errored", ...ENDS, reason: "no engine", tries: 2 },
  cancelled: { kind: "cancelled", ...ENDS, by: "ada" },
} as const;

function ended(number: number, kind: keyof typeof STATES, ref = "branch"): FinishedBuild {
  const build = Build.parse({
    number,
    project: "docker",
    ref: "main",
    revision: {
      sha: String(number % 10).repeat(40),
      kind: ref,
      ref: "main",
      title: "t",
      author: "bob",
      committedAt: AT.toISOString(),
    },
    requester: { name: "ada", displayName: "ada", network: "x", room: { network: "x", kind: "channel", name: "#x" } },
    params: {},
    attempt: 1,
    requestedAt: AT.toISOString(),
    state: STATES[kind],
    steps: [],
  });
  if (!isFinished(build)) throw new Error("not finished");
  return build;
}

/** The events of a row of results, as builds 1, 2, 3… of one branch. */
function eventsOf(...kinds: (keyof typeof STATES)[]): string[] {
  let state: BranchState = {};
  return kinds.map((kind, index) => {
    const { next, news } = judge(ended(index + 1, kind), state, AT);
    state = next;
    return news.event;
  });
}

// O-92
test("a build that passed without its tests mends nothing, and is no good build", () => {
  const { next } = judge(ended(1, "failed"), {}, AT);
  const { next: after, news } = judge({ ...ended(2, "passed"), skipTests: true }, next, AT);
  expect([news.event, after.incident, after.lastGood]).toEqual(["passed", next.incident, undefined]);
});

describe("the news of a branch", () => {
  test.each([
    ["a first build that passes is no news", ["passed"], ["passed"]],
    ["a first build that fails is one (O-71)", ["failed"], ["broken"]],
    [
      "good to bad, and nothing more until it is good again",
      ["passed", "failed", "failed", "passed", "passed"],
      ["passed", "broken", "failed", "fixed", "passed"],
    ],
    [
      "what could not run says nothing about the branch",
      ["passed", "errored", "passed"],
      ["passed", "errored", "passed"],
    ],
    [
      "a machine that stays broken is told once",
      ["errored", "errored", "passed", "errored"],
      ["errored", "failed", "passed", "errored"],
    ],
    ["a cancelled build changes nothing", ["failed", "cancelled", "passed"], ["broken", "cancelled", "fixed"]],
    [
      "an incident outlives what could not run",
      ["failed", "errored", "failed", "passed"],
      ["broken", "errored", "failed", "fixed"],
    ],
  ] as const)("%s", (_name, kinds, events) => {
    expect(eventsOf(...kinds)).toEqual(events);
  });

  test("an incident knows its first bad build, the last good one, and how many failed", () => {
    let state: BranchState = {};
    for (const [index, kind] of (["passed", "failed", "failed"] as const).entries()) {
      state = judge(ended(index + 1, kind), state, AT).next;
    }
    expect(state.incident).toMatchObject({ firstBad: { number: 2 }, lastGood: { number: 1 }, badBuilds: 2 });
    expect(judge(ended(4, "passed"), state, AT)).toMatchObject({
      next: { lastGood: { number: 4 } },
      news: { event: "fixed" },
    });
  });

  test("an older build that ends later than a newer one does not undo it", () => {
    const broken = judge(ended(8, "failed"), {}, AT).next;
    expect(judge(ended(7, "passed"), broken, AT)).toEqual({ next: broken, news: { event: "passed" } });
  });

  test("a tag or a commit makes no incident", () => {
    expect(judge(ended(1, "failed", "tag"), {}, AT)).toEqual({ next: {}, news: { event: "failed" } });
  });
});
