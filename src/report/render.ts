/** The daily report in words: what is broken in lines with links, and the counts as tables in a fixed pitch. */
import { buildUrl, resultLine } from "../builds/describe.ts";
import { type Line, line, type Reply } from "../chat/reply.ts";
import { formatAge, formatCount, formatDuration } from "../units.ts";
import { dayName } from "./days.ts";
import type { Period, Report, ReportDay, ReportIncident } from "./report.ts";
import type { ProjectStats, Stats } from "./stats.ts";

/** A mail with more is no longer read; the page has all of them. */
const BROKEN_SHOWN = 20;
/** As wide as the original's column (O-114), wider where a name is. */
const NAME_WIDTH = 15;

export function renderReport(report: Report, url: string): Reply {
  const { total } = report.lastDay;
  const broken = brokenLines(report, url);
  return {
    lines: [
      line(
        "info",
        [
          `Daily report for ${report.day}`,
          total.tried === 0 ? "no builds in the last 24 hours" : `${formatCount(total.tried)} tried`,
          total.failed === 0 ? "" : `${formatCount(total.failed)} failed`,
          broken.length === 0 ? "nothing is broken" : `${broken.length} broken`,
        ],
        url,
      ),
      ...broken.slice(0, BROKEN_SHOWN),
      ...(broken.length > BROKEN_SHOWN ? [line("info", [`${broken.length - BROKEN_SHOWN} more are broken`], url)] : []),
    ],
    verbatim: tables(report),
    key: `report-${report.at.toISOString()}`,
  };
}

/** A line for each branch that is broken: its newest build, and since when and whose it is where it is an incident. */
function brokenLines({ failing, incidents, at }: Report, url: string): Line[] {
  const story = ({ since, firstBad, claimedBy }: ReportIncident): string[] => [
    `broken for ${formatAge(at.getTime() - Date.parse(since))} since #${firstBad.number}`,
    claimedBy === undefined ? "nobody has it" : `${claimedBy} has it`,
  ];
  const told = new Set<ReportIncident>();
  const builds = failing.map((build): Line => {
    const result = resultLine(build, url);
    const incident = incidents.find(
      ({ project, branch }) => project === build.project && branch === (build.revision?.ref ?? build.ref),
    );
    if (incident === undefined) return result;
    told.add(incident);
    return { ...result, facts: [...result.facts, ...story(incident)] };
  });
  const older = incidents
    .filter((incident) => !told.has(incident))
    .map((incident) =>
      line(
        "failed",
        [`${incident.project} ${incident.branch}`, ...story(incident)],
        buildUrl(url, incident.firstBad.number),
      ),
    );
  return [...older, ...builds];
}

function tables(report: Report): string[] {
  const all = [report.lastDay, report.week].flatMap(({ projects }) => projects);
  const shape: Shape = {
    width: Math.max(NAME_WIDTH, ...all.map(({ project }) => project.length + 2)),
    errored: all.some(({ errored }) => errored > 0),
    coverage: all.some(({ coverage }) => coverage !== undefined),
  };
  return [
    ...periodTable("Last 24 hours", report.lastDay, shape),
    "",
    ...periodTable(report.week.name, report.week, shape),
    ...(report.days.length === 0 ? [] : ["", heading("Day by day", shape)]),
    ...report.days.flatMap((day) => dayRows(day, shape)),
  ];
}

interface Shape {
  readonly width: number;
  /** Whether anything could not run, or has a coverage: a column of nothing says nothing. */
  readonly errored: boolean;
  readonly coverage: boolean;
}

function periodTable(title: string, { projects, total }: Period, shape: Shape): string[] {
  const sum = projects.length > 1 ? [row("all", { ...total, medianMs: undefined, coverage: undefined }, shape)] : [];
  return [heading(title, shape), ...projects.map((stats) => row(stats.project, stats, shape)), ...sum];
}

function dayRows({ day, projects }: ReportDay, shape: Shape): string[] {
  if (projects.length === 0) return [`${dayName(day)}  no builds`];
  return [dayName(day), ...projects.map((stats: ProjectStats) => row(`  ${stats.project}`, stats, shape))];
}

function heading(title: string, shape: Shape): string {
  return columns(title, ["tried", "failed", "percent", "not run", "median", "coverage"], shape);
}

function row(name: string, { tried, failed, errored, percent, medianMs, coverage }: Stats, shape: Shape): string {
  const values = [
    formatCount(tried),
    formatCount(failed),
    percent === undefined ? "-" : `${percent}%`,
    formatCount(errored),
    medianMs === undefined ? "-" : formatDuration(medianMs),
    coverage === undefined ? "-" : `${coverage.toFixed(1)}%`,
  ];
  return columns(name, values, shape);
}

/** Numbers on the right, each under its word. */
function columns(name: string, values: readonly string[], { width, errored, coverage }: Shape): string {
  const shown = values.filter((_, index) => (index !== 3 || errored) && (index !== 5 || coverage));
  return `${name.padEnd(width)}${shown.map((value) => value.padStart(9)).join("")}`.trimEnd();
}
