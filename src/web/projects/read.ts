/** What the page of a project says, read from the records. */
import type { Build } from "../../builds/build.ts";
import type { HistoryPage } from "../../builds/history.ts";
import type { Project } from "../../config.ts";
import { type FlakyEvent, rank, type Unsteady } from "../../flaky/flaky-event.ts";
import type { Incident } from "../../incidents/incident.ts";
import type { BuildNumber } from "../../names.ts";
import type { Skipped } from "../../triggers/skipped.ts";
import type { WebDeps } from "../deps.ts";
import { standingOf } from "../home/glance.ts";
import { type TrendPoint, trendOf } from "../trends/trend.ts";

const PAGE = 25;
/** How many builds the charts look back. */
const CHARTED = 60;
const BRANCHES = 20;
const SKIPPED_SHOWN = 10;
export const FLAKY_DAYS = 30;
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
  readonly unsteady: readonly Unsteady[];
  readonly incidents: readonly Incident[];
  /** What changed of it lately and was not built. */
  readonly skipped: readonly Skipped[];
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
  const { builds, flaky, incidents, clock } = deps;
  const since = new Date(clock.now().getTime() - FLAKY_DAYS * DAY_MS);
  const [history, branches, charted, events, open, skipped] = await Promise.all([
    readPage(deps, place, project),
    readBranches(deps, project),
    builds.history.page({ project: project.name, branch: project.branch, limit: CHARTED }),
    flaky.events(project.name, since),
    incidents(),
    deps.skipped(),
  ]);
  return {
    standing: standingOf(charted.builds) ?? standingOf(history.builds),
    history,
    branches,
    trend: trendOf(charted.builds),
    unsteady: rank(events satisfies readonly FlakyEvent[]),
    incidents: open.filter((incident) => incident.project === project.name),
    skipped: skipped.filter((each) => each.project === project.name).slice(0, SKIPPED_SHOWN),
  };
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
