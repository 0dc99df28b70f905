/** What the page of a project says, read from the records. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Build } from "../../builds/build.ts";
import type { HistoryPage } from "../../builds/history.ts";
import { telling } from "../../builds/stands.ts";
import type { Project } from "../../config.ts";
import { type FlakyEvent, rank, type Unsteady } from "../../flaky/flaky-event.ts";
import type { Incident } from "../../incidents/incident.ts";
import type { BuildNumber } from "../../names.ts";
import type { PullRequestChanges, WaitingPullRequest } from "../../triggers/pull-request-changes.ts";
import type { Skipped } from "../../triggers/skipped.ts";
import type { WebDeps } from "../deps.ts";
import { hasPictures } from "../pictures.tsx";
import { type TrendPoint, trendOf } from "../trends/trend.ts";

const PAGE = 25;
/** How many builds the charts look back. */
const CHARTED = 60;
const BRANCHES = 20;
const SKIPPED_SHOWN = 10;
export const FLAKY_DAYS = 30;
/** What more of them change is not looked up: anybody can open a hundred. */
export const CHANGES_SHOWN = 10;
/** How long a page waits for git to say what a pull request changes. */
const CHANGES_PATIENCE_MS = 2_000;
const DAY_MS = 86_400_000;

export interface Branch {
  readonly name: string;
  /** The newest build of it. */
  readonly build: Build;
}

export interface ProjectView {
  /** The build that says how the project stands; undefined where none was built. */
  readonly standing: Build | undefined;
  readonly history: HistoryPage;
  readonly branches: readonly Branch[];
  readonly trend: readonly TrendPoint[];
  /** The newest build that left pictures which are still kept. */
  readonly pictured: Build | undefined;
  readonly unsteady: readonly Unsteady[];
  readonly incidents: readonly Incident[];
  /** What changed of it lately and was not built. */
  readonly skipped: readonly Skipped[];
  /** Outsiders' pull requests that wait for somebody's word, the longest first. */
  readonly waiting: readonly WaitingView[];
}

export interface WaitingView extends WaitingPullRequest {
  /** Undefined where nobody can tell, or git takes its time. */
  readonly changes: PullRequestChanges | undefined;
}

interface Place {
  readonly before: BuildNumber | undefined;
  readonly after: BuildNumber | undefined;
}

/** A page of all builds, or of those of a project. */
export function readPage({ builds }: WebDeps, place: Place, project?: Project): Promise<HistoryPage> {
  return builds.history.page({ project: project?.name, ...place, limit: PAGE });
}

export async function readProject(deps: WebDeps, project: Project, place: Place): Promise<ProjectView> {
  const { builds, config, flaky, incidents, clock } = deps;
  const since = new Date(clock.now().getTime() - FLAKY_DAYS * DAY_MS);
  const [history, branches, charted, events, open, skipped, waiting] = await Promise.all([
    readPage(deps, place, project),
    readBranches(deps, project),
    builds.history.page({ project: project.name, branch: project.branch, limit: CHARTED }),
    flaky.events(project.name, since),
    incidents(),
    deps.skipped(),
    readWaiting(deps, project),
  ]);
  return {
    standing: telling(charted.builds) ?? telling(history.builds),
    history,
    branches,
    trend: trendOf(charted.builds),
    pictured: charted.builds.find((build) => hasPictures(build, { retention: config.retention, now: clock.now() })),
    unsteady: rank(events satisfies readonly FlakyEvent[]),
    incidents: open.filter((incident) => incident.project === project.name),
    skipped: skipped.filter((each) => each.project === project.name).slice(0, SKIPPED_SHOWN),
    waiting,
  };
}

async function readWaiting({ pullRequests }: WebDeps, { name }: Project): Promise<WaitingView[]> {
  const all = (await pullRequests.waiting()).filter(({ project }) => project === name);
  const late = sleep(CHANGES_PATIENCE_MS, undefined, { ref: false });
  return Promise.all(
    all.map(async (waiting, index) => {
      const changes = index < CHANGES_SHOWN ? await Promise.race([pullRequests.changes(waiting), late]) : undefined;
      return { ...waiting, changes };
    }),
  );
}

async function readBranches({ builds }: WebDeps, { name: project }: Project): Promise<Branch[]> {
  const names = await builds.history.branches(project, BRANCHES);
  const newest = await Promise.all(
    names.map(async ({ name }) => {
      const page = await builds.history.page({ project, branch: name, limit: 1 });
      return page.builds.map((build) => ({ name, build }));
    }),
  );
  return newest.flat();
}
