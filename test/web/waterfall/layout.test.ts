/** Where builds stand in the waterfall: in their project's column, in their real length, side by side where they ran at once. */
import { describe, expect, test } from "vitest";
import { Build, type BuildState } from "../../../src/builds/build.ts";
import { GitRef, ProjectName } from "../../../src/names.ts";
import { columnsOf } from "../../../src/web/waterfall/columns.ts";
import { type Layout, layOut } from "../../../src/web/waterfall/layout.ts";
import { ADA, ago, NOW, revisionOf } from "../../support/records.ts";

const MAIN = { branch: GitRef.parse("main") };
const CONFIGURED = new Map(["docker", "hello"].map((name) => [ProjectName.parse(name), MAIN]));

let number = 0;
/** Times in minutes before now; `to` is missing for one that runs, `from` too for one that waits. */
function build(
  project: string,
  from?: number,
  to?: number,
  changes: { ref?: string; kind?: "tag" | "commit"; sha?: string } = {},
): Build {
  const { ref = "main", kind = "branch", sha = "0" } = changes;
  const startedAt = ago((from ?? 0) * 60);
  const state: BuildState =
    from === undefined
      ? { kind: "queued" }
      : to === undefined
        ? { kind: "running", startedAt, worker: "big-1" }
        : { kind: "passed", startedAt, finishedAt: ago(to * 60) };
  const revision = revisionOf(sha, { ref: GitRef.parse(ref), kind });
  number += 1;
  return Build.parse({
    number,
    project,
    ref,
    revision,
    requester: ADA,
    params: {},
    attempt: 0,
    requestedAt: ago(9_000),
    steps: [],
    state,
  });
}

const laidOut = (...oldestFirst: Build[]): Layout => layOut(columnsOf(oldestFirst.toReversed(), CONFIGURED), NOW);

/** Each row as its kind, or its height in units with what begins in it: a lane's build number and over how many rows, or `-`. */
function drawn({ rows, projects }: Layout): string[] {
  const lanes = projects.flatMap(({ columns }) => columns.flatMap((column) => column.lanes));
  return rows.map(({ kind, units }, at) => {
    if (kind !== "time") return kind;
    const cells = lanes.map((lane) => {
      const cell = lane.get(at);
      if (cell === undefined) return "";
      return cell.block === undefined ? `-/${cell.rows}` : `#${cell.block.build.number}/${cell.rows}`;
    });
    return `${units}: ${cells.join(" ")}`;
  });
}

describe("rows", () => {
  test("a build of twice the length is twice as high, and a long pause is a row of its own", () => {
    number = 0;
    const layout = laidOut(build("docker", 300, 290), build("docker", 120, 100), build("docker", 99, 89));
    // Of 10, 10 and 20 minutes the middle one is six units high; one minute of pause is the least that there is.
    expect(drawn(layout)).toEqual(["6: #3/1", "1: -/1", "12: #2/1", "quiet", "6: #1/1", "end"]);
  });

  test("what runs reaches up to now, and what waits has no place in time", () => {
    number = 0;
    const layout = laidOut(build("docker", 10), build("hello", 5, 2), build("docker"), build("docker"));
    expect(drawn(layout)).toEqual(["1: #1/3 -/1", "2:  #2/1", "3:  -/1", "end"]);
    expect(layout.rows[0]?.toMs).toBe(NOW.getTime());
    expect(layout.projects[0]?.columns[0]?.waiting.map((waits) => waits.number)).toEqual([3, 4]);
  });

  test("builds of one project that ran at the same time stand side by side, and the next below the first that is free", () => {
    number = 0;
    const layout = laidOut(
      build("docker", 60, 30),
      build("docker", 50, 40),
      build("docker", 40, 20),
      build("docker", 30, 10),
    );
    const [column] = layout.projects[0]?.columns ?? [];
    const lanes = column?.lanes.map((lane) => [...lane.values()].flatMap(({ block }) => block?.build.number ?? []));
    expect(lanes).toEqual([
      [4, 1],
      [3, 2],
    ]);
  });

  test("a build without a length, or whose clock went backwards, still stands somewhere", () => {
    number = 0;
    const cancelled = { ...build("docker"), state: { kind: "cancelled", finishedAt: ago(60), by: "ada" } } as const;
    const layout = laidOut(cancelled, build("docker", 10, 20));
    expect(drawn(layout)).toEqual(["1: #1/1", "quiet", "1: #2/1", "end"]);
  });

  test("nothing is nothing", () => {
    expect(laidOut()).toMatchObject({ rows: [], projects: [] });
  });
});

describe("columns", () => {
  const labels = (layout: Layout): string[][] =>
    layout.projects.map(({ project, columns }) => [project, ...columns.map(({ label }) => label)]);

  test("are the projects in the order of the configuration, then those that are no longer in it", () => {
    const layout = laidOut(build("gone", 9, 8), build("hello", 7, 6), build("docker", 5, 4));
    expect(labels(layout)).toEqual([
      ["docker", "main"],
      ["hello", "main"],
      ["gone", "main"],
    ]);
  });

  test("and the branches of one with several: main first, then the newest; tags share one, and so do those that are too many", () => {
    const refs = ["a", "b", "main", "v1", "v2", "c"];
    const builds = refs.map((ref, at) =>
      build("docker", 20 - at, 19.5 - at, ref.startsWith("v") ? { ref, kind: "tag" } : { ref }),
    );
    expect(labels(laidOut(...builds.slice(2)))).toEqual([["docker", "main", "c", "tags"]]);
    const layout = laidOut(...builds);
    expect(labels(layout)).toEqual([["docker", "main", "c", "tags", "2 others"]]);
    expect(layout.projects[0]?.columns.map(({ branch }) => branch)).toEqual(["main", "c", "tags", undefined]);
  });
});

test("a change stands where the first build of it began, once for all builds of it", () => {
  number = 0;
  const layout = laidOut(
    build("docker", 30, 25, { sha: "1" }),
    build("docker", 25, 20, { sha: "2" }),
    build("docker", 20, 15, { sha: "2" }),
    build("docker", undefined, undefined, { sha: "3" }),
  );
  expect([...layout.changes].map(([at, builds]) => [at, builds.map((one) => one.number)])).toEqual([
    [2, [2]],
    [3, [1]],
  ]);
  expect(layout.rows[2]?.toMs).toBe(NOW.getTime() - 25 * 60_000);
  expect(layout.waitingChanges.map((one) => one.number)).toEqual([4]);
});
