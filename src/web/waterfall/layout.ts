/**
 * Where the builds of a waterfall stand: time goes down, the newest on top, in rows from one thing that happened to the next,
 * each as high as it was long. Hours in which nothing ran are one row.
 */
import { type Build, isFinished } from "../../builds/build.ts";
import type { ProjectName } from "../../names.ts";
import type { Column, ProjectColumns } from "./columns.ts";
import { groupBy } from "./group-by.ts";

/** A build in the middle of the page's lengths is so many units high (style.ts), and no row is higher than the most. */
const MEDIAN_UNITS = 6;
export const MOST_UNITS = 40;
/** A pause that would be higher than that is told in a row. */
const QUIET_UNITS = 6;
/** What has no length, such as a build that was cancelled while it waited, has to stand somewhere. */
const LEAST_MS = 1_000;

export interface Block {
  readonly build: Build;
  readonly startMs: number;
  readonly endMs: number;
}

export interface Row {
  readonly fromMs: number;
  readonly toMs: number;
  /** `quiet`: nothing ran, for long. The last one is the `end`, where the oldest build in view began. */
  readonly kind: "time" | "quiet" | "end";
  /** 1 to `MOST_UNITS`. */
  readonly units: number;
}

/** A piece of a lane: a build, or nothing, over so many rows. */
export interface Cell {
  readonly rows: number;
  readonly block: Block | undefined;
}

export interface LaidOutColumn extends Column {
  /** What waits has no place in time yet; in the order in which it will begin. */
  readonly waiting: readonly Build[];
  /** Side by side where builds ran at the same time: the cells by the row that they begin in. */
  readonly lanes: readonly ReadonlyMap<number, Cell>[];
}

export interface Layout {
  /** The newest first. */
  readonly rows: readonly Row[];
  readonly projects: readonly { readonly project: ProjectName; readonly columns: readonly LaidOutColumn[] }[];
  /** The rows at whose upper edge a build began whose revision is not in view below. */
  readonly changes: ReadonlyMap<number, readonly Build[]>;
  /** Those of builds that wait. */
  readonly waitingChanges: readonly Build[];
}

export function layOut(projects: readonly ProjectColumns[], now: Date): Layout {
  const builds = projects.flatMap(({ columns }) => columns.flatMap((column) => column.builds));
  const blocks = new Map(builds.flatMap((build) => blockOf(build, now) ?? []).map((block) => [block.build, block]));
  const rows = rowsOf([...blocks.values()]);
  const changes = firstOfRevisions(builds);
  const tops = new Map(rows.map(({ toMs }, at) => [toMs, at]));
  return {
    rows,
    projects: projects.map(({ project, columns }) => ({
      project,
      columns: columns.map((column) => ({
        ...column,
        waiting: column.builds.filter(({ state }) => state.kind === "queued").toReversed(),
        lanes: lanesOf(column.builds.flatMap((build) => blocks.get(build) ?? [])).map((lane) => cellsOf(lane, rows)),
      })),
    })),
    changes: groupBy(
      changes.filter((build) => blocks.has(build)),
      (build) => tops.get(blocks.get(build)?.startMs ?? 0) ?? 0,
    ),
    waitingChanges: changes.filter((build) => !blocks.has(build)),
  };
}

/** Undefined for one that waits. To the second, since nobody sees less. */
function blockOf(build: Build, now: Date): Block | undefined {
  const { state } = build;
  if (state.kind === "queued") return undefined;
  const endMs = toSecond(isFinished(build) ? Date.parse(build.state.finishedAt) : now.getTime());
  const startMs = state.startedAt === undefined ? endMs : toSecond(Date.parse(state.startedAt));
  return { build, startMs: Math.min(startMs, endMs - LEAST_MS), endMs };
}

function toSecond(ms: number): number {
  return Math.round(ms / 1_000) * 1_000;
}

function rowsOf(blocks: readonly Block[]): Row[] {
  const edges = [...new Set(blocks.flatMap(({ startMs, endMs }) => [startMs, endMs]))].toSorted((a, b) => b - a);
  const lengths = blocks.map(({ startMs, endMs }) => endMs - startMs).toSorted((a, b) => a - b);
  const unitMs = Math.max(LEAST_MS, (lengths[Math.floor(lengths.length / 2)] ?? 0) / MEDIAN_UNITS);
  // From the newest edge down, how many builds are under way below it.
  const begun = groupBy(blocks, ({ endMs }) => endMs);
  const over = groupBy(blocks, ({ startMs }) => startMs);
  let atWork = 0;
  return edges.map((toMs, at) => {
    atWork += (begun.get(toMs)?.length ?? 0) - (over.get(toMs)?.length ?? 0);
    const fromMs = edges[at + 1] ?? toMs;
    const units = Math.round((toMs - fromMs) / unitMs);
    const pause = units > QUIET_UNITS ? "quiet" : "time";
    const kind = at === edges.length - 1 ? "end" : atWork === 0 ? pause : "time";
    return { fromMs, toMs, kind, units: Math.min(MOST_UNITS, Math.max(1, units)) };
  });
}

/** As few lanes as the builds that ran at the same time need. */
function lanesOf(blocks: readonly Block[]): Block[][] {
  const lanes: Block[][] = [];
  for (const block of blocks.toSorted((a, b) => a.startMs - b.startMs || a.build.number - b.build.number)) {
    const free = lanes.find((lane) => (lane.at(-1)?.endMs ?? 0) <= block.startMs);
    if (free === undefined) lanes.push([block]);
    else free.push(block);
  }
  return lanes.length === 0 ? [[]] : lanes;
}

/** Rows of another kind belong to no lane: they go across all of them. */
function cellsOf(lane: readonly Block[], rows: readonly Row[]): Map<number, Cell> {
  const tops = new Map(lane.map((block) => [block.endMs, block]));
  const cells = new Map<number, Cell>();
  let at = 0;
  while (at < rows.length) {
    const row = rows[at];
    if (row?.kind !== "time") {
      at += 1;
      continue;
    }
    const block = tops.get(row.toMs);
    let end = at + 1;
    for (let next = rows[end]; next?.kind === "time"; next = rows[end]) {
      if (block === undefined ? tops.has(next.toMs) : next.toMs <= block.startMs) break;
      end += 1;
    }
    cells.set(at, { rows: end - at, block });
    at = end;
  }
  return cells;
}

/** The first build in view of each revision of a project, the newest first. */
function firstOfRevisions(builds: readonly Build[]): Build[] {
  const first = new Map<string, Build>();
  for (const build of builds) {
    if (build.revision === undefined) continue;
    const key = `${build.project} ${build.revision.sha}`;
    const known = first.get(key);
    if (known === undefined || build.number < known.number) first.set(key, build);
  }
  return [...first.values()].toSorted((a, b) => b.number - a.number);
}
