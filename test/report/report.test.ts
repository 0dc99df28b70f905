/** The daily report's numbers and words; the faults of the original's, each with a fixture that shows it. */
import { describe, expect, test } from "vitest";
import { Build } from "../../src/builds/build.ts";
import { ProjectName } from "../../src/names.ts";
import { renderReport } from "../../src/report/render.ts";
import { buildReport, type Report, type ReportIncident, type ReportOptions } from "../../src/report/report.ts";
import { type Ended, endedBuild } from "./builds.ts";

/** A Sunday. */
const AT = new Date("2026-11-22T08:00:00Z");
const PROJECTS = ["docker", "docker-registry", "hello"].map((name) => ProjectName.parse(name));

function reportOf(builds: readonly Ended[], options: Partial<ReportOptions> = {}): Report {
  return buildReport(builds.map(endedBuild), { at: AT, timezone: "Etc/UTC", projects: PROJECTS, ...options });
}

/** `[tried, failed, percent]` of each project. */
function counts({ projects }: Report["lastDay"]): Record<string, (number | undefined)[]> {
  return Object.fromEntries(projects.map(({ project, tried, failed, percent }) => [project, [tried, failed, percent]]));
}

const fail = (project: string, number: number, at: string, more: Partial<Ended> = {}): Ended => ({
  project,
  number,
  at,
  kind: "failed",
  ...more,
});
const pass = (project: string, number: number, at: string, more: Partial<Ended> = {}): Ended => ({
  project,
  number,
  at,
  ...more,
});

describe("the original's faults (O-115)", () => {
  test("builds of different projects with the same number are not one (it grouped by number)", () => {
    const report = reportOf([
      fail("docker", 7, "2026-11-22T07:00:00Z"),
      pass("docker-registry", 7, "2026-11-22T07:10:00Z"),
      pass("hello", 7, "2026-11-22T07:20:00Z"),
    ]);
    expect(counts(report.lastDay)).toEqual({ docker: [1, 1, 100], "docker-registry": [1, 0, 0], hello: [1, 0, 0] });
    expect(report.lastDay.total).toMatchObject({ tried: 3, failed: 1, percent: 33 });
  });

  // O-113
  test("a day without builds is a day of the table (it left them out)", () => {
    const report = reportOf([pass("hello", 1, "2026-11-17T12:00:00Z"), pass("hello", 2, "2026-11-21T12:00:00Z")]);
    expect(report.days.map(({ day, projects }) => [day, projects.length])).toEqual([
      ["2026-11-16", 0],
      ["2026-11-17", 1],
      ["2026-11-18", 0],
      ["2026-11-19", 0],
      ["2026-11-20", 0],
      ["2026-11-21", 1],
      ["2026-11-22", 0],
    ]);
    expect(renderReport(report, "https://ci").verbatim).toContain("Wed 2026-11-18  no builds");
  });

  // O-113
  test("a Monday knows last week (it began the week anew)", () => {
    const at = new Date("2026-11-23T08:00:00Z");
    const report = reportOf([fail("hello", 1, "2026-11-20T12:00:00Z")], { at });
    expect(counts(report.week).hello).toEqual([1, 1, 100]);
    expect(report.days[0]?.day).toBe("2026-11-17");
  });

  test("only what fails is failing (it listed every project), and says what failed (its details were empty)", () => {
    const report = reportOf([
      fail("docker", 1, "2026-11-21T12:00:00Z"),
      pass("docker", 2, "2026-11-21T13:00:00Z"),
      fail("hello", 3, "2026-11-21T14:00:00Z"),
      pass("docker-registry", 4, "2026-11-21T15:00:00Z"),
    ]);
    expect(report.failing.map(({ project, number }) => [project, number])).toEqual([["hello", 3]]);
    expect(renderReport(report, "https://ci").lines.slice(1)).toEqual([
      {
        tone: "failed",
        facts: ["hello #3 failed in 1m00s", "main 0000000 by bob", "step tests, exit 1"],
        link: "https://ci/builds/3",
      },
    ]);
  });
});

// O-113: from Monday on, days without builds left out
describe("a calendar week", () => {
  const week = (at: string, builds: readonly Ended[], timezone = "Etc/UTC"): Report =>
    reportOf(builds, { at: new Date(at), timezone, window: "week" });
  const days = (report: Report): string[] => report.days.map(({ day }) => day);
  const builds = [
    fail("hello", 1, "2026-11-15T23:59:59Z"),
    pass("hello", 2, "2026-11-16T00:00:00Z"),
    fail("hello", 3, "2026-11-19T12:00:00Z"),
    pass("docker", 4, "2026-11-22T23:30:00Z"),
    pass("hello", 5, "2026-11-23T07:00:00Z"),
  ];

  test("on a Thursday is since Monday, and what came before is not counted", () => {
    const report = week("2026-11-19T20:00:00Z", builds);
    expect([report.week.name, counts(report.week).hello, days(report)]).toEqual([
      "This week",
      [2, 1, 50],
      ["2026-11-16", "2026-11-19"],
    ]);
    const text = renderReport(report, "https://ci").verbatim ?? [];
    expect(text.find((row) => row.startsWith("This week"))).toMatch(/^This week +tried +failed +percent +median$/);
    expect(text.join("\n")).not.toMatch(/no builds|Last 7 days/);
  });

  test("on a Sunday is all of it, and on a Monday the one that has ended, where the original's was empty", () => {
    expect(days(week("2026-11-22T23:59:00Z", builds))).toEqual(["2026-11-16", "2026-11-19", "2026-11-22"]);
    const monday = week("2026-11-23T08:00:00Z", builds);
    expect([monday.week.name, monday.week.total.tried, monday.lastDay.total.tried, days(monday)]).toEqual([
      "Last week",
      3,
      2,
      ["2026-11-16", "2026-11-19", "2026-11-22"],
    ]);
    expect([week("2026-11-24T08:00:00Z", builds).week.name, days(week("2026-11-24T08:00:00Z", builds))]).toEqual([
      "This week",
      ["2026-11-23"],
    ]);
  });

  test("begins when it is Monday in the time zone", () => {
    // 00:30 on Monday the 23rd in Berlin, and half an hour into it the first of its builds.
    const berlin = week("2026-11-24T08:00:00Z", builds, "Europe/Berlin");
    expect([berlin.week.total.tried, days(berlin)]).toEqual([2, ["2026-11-23"]]);
  });

  test("without any build says so once, and has no table of days", () => {
    const rows = renderReport(week("2026-11-24T08:00:00Z", []), "https://ci").verbatim ?? [];
    expect(rows.filter((row) => /^(This week|Day by day)/.test(row))).toHaveLength(1);
    expect(rows.at(-1)).toMatch(/^all /);
  });
});

describe("counting", () => {
  // O-113
  test("a day reaches back 24 hours to the millisecond, a week seven days", () => {
    const report = reportOf([
      pass("hello", 1, "2026-11-15T07:59:59.999Z"),
      pass("hello", 2, "2026-11-15T08:00:00.000Z"),
      pass("hello", 3, "2026-11-21T07:59:59.999Z"),
      pass("hello", 4, "2026-11-21T08:00:00.000Z"),
      pass("hello", 5, "2026-11-22T07:59:59.999Z"),
      pass("hello", 6, "2026-11-22T08:00:00.000Z"),
    ]);
    expect([report.lastDay.total.tried, report.week.total.tried]).toEqual([2, 4]);
  });

  test("what could not run is tried and has not failed; what was cancelled, or is not over, was not tried", () => {
    const running = { ...endedBuild(pass("hello", 9, "2026-11-22T07:00:00Z")), state: { kind: "queued" } };
    const report = buildReport(
      [
        endedBuild(pass("hello", 1, "2026-11-22T07:00:00Z", { kind: "errored" })),
        endedBuild(pass("hello", 2, "2026-11-22T07:00:00Z", { kind: "cancelled" })),
        endedBuild(fail("hello", 3, "2026-11-22T07:00:00Z", { branch: "next" })),
        Build.parse(running),
      ],
      { at: AT, timezone: "Etc/UTC", projects: PROJECTS },
    );
    expect(report.lastDay.total).toMatchObject({ tried: 2, failed: 1, errored: 1, percent: 50 });
    expect(report.failing.map(({ number }) => number)).toEqual([1, 3]);
  });

  test.each([
    [[10], 10],
    [[40, 10], 25],
    [[10, 30, 20], 20],
    [[], undefined],
  ])("the median of whole builds that passed in %j s is %s s", (seconds, expected) => {
    const at = "2026-11-22T07:00:00Z";
    const report = reportOf([
      ...seconds.map((taken, index) => pass("hello", index + 1, at, { seconds: taken })),
      fail("hello", 90, at, { seconds: 1 }),
      pass("hello", 91, at, { seconds: 1, onlySteps: ["tests"] }),
    ]);
    const { medianMs } = report.lastDay.projects[2] ?? {};
    expect(medianMs).toBe(expected === undefined ? undefined : expected * 1_000);
  });

  test.each([
    [1, 3, 33],
    [2, 3, 67],
    [0, 3, 0],
    [1, 200, 1],
  ])("%d of %d failed is a whole percent, %d", (failed, tried, percent) => {
    const at = "2026-11-22T07:00:00Z";
    const builds = Array.from({ length: tried }, (_, index) => (index < failed ? fail : pass)("hello", index + 1, at));
    expect(reportOf(builds).lastDay.total.percent).toBe(percent);
  });

  test("days are those of the time zone, also where the clocks change", () => {
    const at = new Date("2026-10-26T07:00:00Z");
    const builds = [
      pass("hello", 1, "2026-10-24T21:59:00Z"),
      pass("hello", 2, "2026-10-24T22:00:00Z"),
      pass("hello", 3, "2026-10-25T22:59:00Z"),
      pass("hello", 4, "2026-10-25T23:00:00Z"),
    ];
    const { days, day } = reportOf(builds, { at, timezone: "Europe/Berlin" });
    expect(day).toBe("2026-10-26");
    expect(days.slice(-3).map(({ day: of, projects }) => [of, projects[0]?.tried])).toEqual([
      ["2026-10-24", 1],
      ["2026-10-25", 2],
      ["2026-10-26", 1],
    ]);
  });

  test("a newer build that ends first is the newer one", () => {
    const report = reportOf([fail("hello", 5, "2026-11-22T07:30:00Z"), pass("hello", 6, "2026-11-22T07:00:00Z")]);
    expect(report.failing).toEqual([]);
  });
});

describe("in words", () => {
  const incident: ReportIncident = {
    project: ProjectName.parse("docker-registry"),
    branch: Build.shape.ref.parse("main"),
    since: "2026-11-20T08:00:00.000Z",
    firstBad: { number: Build.shape.number.parse(2) },
    claimedBy: "bob",
  };
  const builds = [
    pass("docker", 1, "2026-11-21T12:00:00Z", { seconds: 242 }),
    fail("docker-registry", 2, "2026-11-20T08:00:00Z"),
    fail("docker-registry", 3, "2026-11-21T12:00:00Z"),
    pass("hello", 4, "2026-11-21T13:00:00Z", { seconds: 4.1 }),
  ];

  // O-114
  test("it is a table with the numbers under their words, and lines for what is broken", () => {
    const reply = renderReport(reportOf(builds, { incidents: [incident] }), "https://ci.example.org");
    expect(reply.lines.map(({ facts }) => facts.join(" · "))).toEqual([
      "Daily report for 2026-11-22 · 3 tried · 1 failed · 1 broken",
      "docker-registry #3 failed in 1m00s · main 0000000 by bob · step tests, exit 1 · broken for 2d since #2 · bob has it",
    ]);
    expect(reply.verbatim?.join("\n")).toBe(`\
Last 24 hours        tried   failed  percent   median
docker                   1        0       0%    4m02s
docker-registry          1        1     100%        -
hello                    1        0       0%     4.1s
all                      3        1      33%        -

Last 7 days          tried   failed  percent   median
docker                   1        0       0%    4m02s
docker-registry          2        2     100%        -
hello                    1        0       0%     4.1s
all                      4        2      50%        -

Day by day           tried   failed  percent   median
Mon 2026-11-16  no builds
Tue 2026-11-17  no builds
Wed 2026-11-18  no builds
Thu 2026-11-19  no builds
Fri 2026-11-20
  docker-registry        1        1     100%        -
Sat 2026-11-21
  docker                 1        0       0%    4m02s
  docker-registry        1        1     100%        -
  hello                  1        0       0%     4.1s
Sun 2026-11-22  no builds`);
  });

  test("an incident older than what is looked at is told all the same", () => {
    const [, line] = renderReport(
      reportOf([], { incidents: [{ ...incident, claimedBy: undefined }] }),
      "https://ci",
    ).lines;
    expect(line).toEqual({
      tone: "failed",
      facts: ["docker-registry main", "broken for 2d since #2", "nobody has it"],
      link: "https://ci/builds/2",
    });
  });

  test("columns for what could not run and for coverage are there when there is something in them", () => {
    const errored = [...builds, pass("hello", 5, "2026-11-21T14:00:00Z", { kind: "errored" })];
    const coverageOf = ({ project }: Build) => (project === "docker" ? 61.93 : undefined);
    const table = renderReport(reportOf(errored, { coverageOf }), "https://ci").verbatim?.slice(0, 4);
    expect(table).toEqual([
      "Last 24 hours        tried   failed  percent  not run   median coverage",
      "docker                   1        0       0%        0    4m02s    61.9%",
      "docker-registry          1        1     100%        0        -        -",
      "hello                    2        0       0%        1     4.1s        -",
    ]);
  });

  test("a quiet day, and no builds ever, are sentences", () => {
    expect(renderReport(reportOf([], { projects: [] }), "https://ci").lines).toEqual([
      {
        tone: "info",
        facts: ["Daily report for 2026-11-22", "no builds in the last 24 hours", "nothing is broken"],
        link: "https://ci",
      },
    ]);
  });

  test("a hundred broken branches are twenty lines and a number", () => {
    const many = Array.from({ length: 100 }, (_, index) =>
      fail("hello", index + 1, "2026-11-22T07:00:00Z", { branch: `branch-${index}` }),
    );
    const { lines } = renderReport(reportOf(many), "https://ci");
    expect([lines.length, lines.at(-1)?.facts]).toEqual([22, ["80 more are broken"]]);
  });
});
