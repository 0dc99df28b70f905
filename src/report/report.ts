/**
 * The daily report as data: the last day and a week by project, the days of that week, and what is broken now.
 *
 * The week is the last seven days, each of them shown, or where somebody counts by the calendar, that from Monday on, of which
 * days without builds are left out, as the original did (O-113). On a Monday that week is the one that has just ended: one of a
 * few hours says nothing, and nobody would ever read how last week's Sunday was.
 *
 * The original counted by build number alone, so that builds of different projects with one number became one, left out days
 * without builds, knew nothing of last week on a Monday, and listed every project as failing (ORIGINAL.md, O-113 to O-115).
 */
import type { Build, FinishedBuild } from "../builds/build.ts";
import type { ReportWindow } from "../config.ts";
import type { BuildNumber, GitRef, ProjectName } from "../names.ts";
import { coveragePercent } from "../results/coverage.ts";
import { wholeCoverage } from "../results/coverage-change.ts";
import { dayOf, daysBefore, mondayOf } from "./days.ts";
import {
  byAge,
  type CoverageOf,
  endedWithin,
  type ProjectStats,
  type Stats,
  statsByProject,
  statsOf,
} from "./stats.ts";

const DAY_MS = 86_400_000;
const WEEK_DAYS = 7;
/** How far back builds are looked at: a branch that nobody has built for longer is no news, unless it is an incident. */
export const REPORT_REACH_MS = 14 * DAY_MS;

/** As much of an open incident as the report says. */
export interface ReportIncident {
  readonly project: ProjectName;
  readonly branch: GitRef;
  readonly since: string;
  readonly firstBad: { readonly number: BuildNumber };
  readonly claimedBy?: string | undefined;
}

/** Builds that came to their end in a time, by project and in all. */
export interface Period {
  readonly projects: readonly ProjectStats[];
  readonly total: Stats;
}

export type WeekName = "Last 7 days" | "This week" | "Last week";

export interface ReportDay {
  /** `2026-11-22` */
  readonly day: string;
  /** Only those with builds; none on a day without. */
  readonly projects: readonly ProjectStats[];
}

export interface Report {
  /** The day it is of, in the time zone. */
  readonly day: string;
  readonly at: Date;
  readonly lastDay: Period;
  readonly week: Period & { readonly name: WeekName };
  /** The calendar days of that week, the oldest first; today is not over. */
  readonly days: readonly ReportDay[];
  /** The newest build of each branch whose newest build did not pass, the oldest first. */
  readonly failing: readonly FinishedBuild[];
  readonly incidents: readonly ReportIncident[];
}

export interface ReportOptions {
  /** The moment it is of: it looks back from there. */
  readonly at: Date;
  readonly timezone: string;
  /** Default: rolling. */
  readonly window?: ReportWindow | undefined;
  /** Those that are configured; those that builds name are added. */
  readonly projects: readonly ProjectName[];
  readonly incidents?: readonly ReportIncident[];
  readonly coverageOf?: CoverageOf;
}

/** Of a build whose tests all ran: a part of them would look like a fall. */
function percentOf(build: Build): number | undefined {
  const totals = wholeCoverage(build);
  return totals && coveragePercent(totals);
}

/** @param builds in any order, each once; what ended after `at` is left out. */
export function buildReport(builds: readonly Build[], options: ReportOptions): Report {
  const { at, timezone, window = "rolling", incidents = [], coverageOf = percentOf } = options;
  const ended = endedWithin(builds, new Date(at.getTime() - REPORT_REACH_MS), at);
  const names = [...new Set([...options.projects, ...ended.map(({ project }) => project)])].sort();
  const period = (within: readonly FinishedBuild[]): Period => ({
    projects: statsByProject(within, names, coverageOf),
    total: statsOf(within, coverageOf),
  });
  const last = (count: number): FinishedBuild[] => endedWithin(ended, new Date(at.getTime() - count * DAY_MS), at);
  const today = dayOf(at, timezone);
  const dayOfBuild = ({ state }: FinishedBuild): string => dayOf(new Date(state.finishedAt), timezone);
  const { name, days: shown } = weekOf(today, window);
  const days = shown.map((day): ReportDay => {
    const within = ended.filter((build) => dayOfBuild(build) === day);
    return { day, projects: statsByProject(within, names, coverageOf).filter(({ tried }) => tried > 0) };
  });
  const week = window === "rolling" ? last(WEEK_DAYS) : ended.filter((build) => shown.includes(dayOfBuild(build)));
  return {
    day: today,
    at,
    lastDay: period(last(1)),
    week: { name, ...period(week) },
    days: window === "rolling" ? days : days.filter(({ projects }) => projects.length > 0),
    failing: failing(ended),
    incidents: incidents.toSorted((a, b) => a.since.localeCompare(b.since)),
  };
}

/** The week that a report of today shows, and its days, the oldest first. */
function weekOf(today: string, window: ReportWindow): { readonly name: WeekName; readonly days: readonly string[] } {
  const until = (day: string, count: number): string[] =>
    Array.from({ length: count }, (_, index) => daysBefore(day, count - 1 - index));
  if (window === "rolling") return { name: "Last 7 days", days: until(today, WEEK_DAYS) };
  const monday = mondayOf(today);
  if (monday === today) return { name: "Last week", days: until(daysBefore(today, 1), WEEK_DAYS) };
  return { name: "This week", days: until(today, WEEK_DAYS).filter((day) => day >= monday) };
}

/** Of every branch of every project the newest build, by number, where that did not pass. */
function failing(ended: readonly FinishedBuild[]): FinishedBuild[] {
  const newest = new Map<string, FinishedBuild>();
  for (const build of ended.toSorted((a, b) => a.number - b.number)) newest.set(branchOf(build.project, build), build);
  return byAge([...newest.values()].filter(({ state }) => state.kind !== "passed"));
}

/** What is asked for by its commit is a branch of its own here. */
function branchOf(project: string, { ref, revision }: Build): string {
  return `${project} ${revision?.ref ?? ref}`;
}
