/**
 * The daily report as data: the last day and the last week by project, every day of that week, and what is broken now.
 *
 * The original counted by build number alone, so that builds of different projects with one number became one, left out days
 * without builds, knew nothing of last week on a Monday, and listed every project as failing (ORIGINAL.md, O-113 to O-115).
 */
import type { Build, FinishedBuild } from "../builds/build.ts";
import type { BuildNumber, GitRef, ProjectName } from "../names.ts";
import { coveragePercent } from "../results/coverage.ts";
import { wholeCoverage } from "../results/coverage-change.ts";
import { dayOf, daysBefore } from "./days.ts";
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
  readonly from: Date;
  readonly to: Date;
  readonly projects: readonly ProjectStats[];
  readonly total: Stats;
}

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
  readonly lastWeek: Period;
  /** Calendar days, the oldest first; the last one is not over. */
  readonly days: readonly ReportDay[];
  /** The newest build of each branch whose newest build did not pass, the oldest first. */
  readonly failing: readonly FinishedBuild[];
  readonly incidents: readonly ReportIncident[];
}

export interface ReportOptions {
  /** The moment it is of: it looks back from there, a day and a week, whatever the weekday. */
  readonly at: Date;
  readonly timezone: string;
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
  const { at, timezone, incidents = [], coverageOf = percentOf } = options;
  const ended = endedWithin(builds, new Date(at.getTime() - REPORT_REACH_MS), at);
  const names = [...new Set([...options.projects, ...ended.map(({ project }) => project)])].sort();
  const period = (days: number): Period => {
    const from = new Date(at.getTime() - days * DAY_MS);
    const within = endedWithin(ended, from, at);
    return { from, to: at, projects: statsByProject(within, names, coverageOf), total: statsOf(within, coverageOf) };
  };
  const today = dayOf(at, timezone);
  const days = Array.from({ length: WEEK_DAYS }, (_, index): ReportDay => {
    const day = daysBefore(today, WEEK_DAYS - 1 - index);
    const within = ended.filter(({ state }) => dayOf(new Date(state.finishedAt), timezone) === day);
    return { day, projects: statsByProject(within, names, coverageOf).filter(({ tried }) => tried > 0) };
  });
  return {
    day: today,
    at,
    lastDay: period(1),
    lastWeek: period(WEEK_DAYS),
    days,
    failing: failing(ended),
    incidents: incidents.toSorted((a, b) => a.since.localeCompare(b.since)),
  };
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
