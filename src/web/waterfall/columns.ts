/** Which builds stand below each other: those of a project, or of each of its branches where several are in view. */
import type { Build } from "../../builds/build.ts";
import { branchOf } from "../../builds/expected.ts";
import { isOfPullRequest } from "../../builds/pull-request.ts";
import type { Project } from "../../config.ts";
import type { ProjectName } from "../../names.ts";
import { groupBy } from "./group-by.ts";

/** A project that builds every branch would fill the page by itself; the rest of them share a column. */
const BRANCHES_AT_MOST = 4;

export interface Column {
  /** The branch that all of its builds are of; undefined where they are of one that each has to say. */
  readonly branch: string | undefined;
  /** What stands above it where the project has several. */
  readonly label: string;
  readonly builds: readonly Build[];
}

export interface ProjectColumns {
  readonly project: ProjectName;
  /** One at least. */
  readonly columns: readonly Column[];
}

/** In the order of the configuration, the main branch first and then by the newest build. @param newestFirst the builds in view. */
export function columnsOf(
  newestFirst: readonly Build[],
  projects: ReadonlyMap<ProjectName, Pick<Project, "branch">>,
): ProjectColumns[] {
  const byProject = groupBy(newestFirst, ({ project }) => project);
  const known = [...projects.keys()].filter((name) => byProject.has(name));
  const gone = [...byProject.keys()].filter((name) => !projects.has(name)).toSorted();
  return [...known, ...gone].map((project) => ({
    project,
    columns: branchColumns(byProject.get(project) ?? [], projects.get(project)?.branch),
  }));
}

function branchColumns(builds: readonly Build[], main: string | undefined): Column[] {
  const byBranch = groupBy(builds, lineOf);
  const [first] = byBranch.keys();
  if (byBranch.size <= 1) {
    const isMain = first === main;
    return [{ branch: isMain ? main : undefined, label: first ?? "", builds }];
  }
  const names = [...byBranch.keys()].toSorted((a, b) => Number(b === main) - Number(a === main));
  const own = names.length > BRANCHES_AT_MOST ? names.slice(0, BRANCHES_AT_MOST - 1) : names;
  const columns = own.map((name) => ({ branch: name, label: name, builds: byBranch.get(name) ?? [] }));
  if (own.length === names.length) return columns;
  const others = builds.filter((build) => !own.includes(lineOf(build)));
  return [...columns, { branch: undefined, label: `${names.length - own.length} others`, builds: others }];
}

/** Tags, bare commits and pull requests come a few times each and would be a column each. */
function lineOf(build: Build): string {
  if (build.revision?.kind === "tag") return "tags";
  if (isOfPullRequest(build)) return "pull requests";
  return build.revision?.kind === "commit" ? "commits" : branchOf(build);
}
