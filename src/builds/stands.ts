/** How projects stand, as the builds of their main branches say: on the first page and in the chats. */
import type { Config, Project } from "../config.ts";
import type { BuildNumber, GitRef, ProjectName } from "../names.ts";
import { type Build, isFinished } from "./build.ts";
import type { Builds } from "./builds.ts";

/** Enough to find one that is over among those under way and those that were cancelled. */
const LOOKED_AT = 8;

export interface Stands {
  readonly project: Project;
  /** Undefined where nothing of it was ever built. */
  readonly build: Build | undefined;
}

/** Builds of the main branch, the newest first; where that was never built, of any. */
export async function pastOf(
  builds: Pick<Builds, "history">,
  { name, branch }: Pick<Project, "name" | "branch">,
  limit: number,
): Promise<readonly Build[]> {
  const ofBranch = await builds.history.page({ project: name, branch, limit });
  if (ofBranch.builds.length > 0) return ofBranch.builds;
  return (await builds.history.page({ project: name, limit })).builds;
}

/** The build that says how it stands: the newest that is over and was not cancelled, else the newest. */
export function telling(newestFirst: readonly Build[]): Build | undefined {
  return newestFirst.find((build) => isFinished(build) && build.state.kind !== "cancelled") ?? newestFirst[0];
}

/** Of every project that is configured, in that order. */
export function howAllStand(config: Pick<Config, "projects">, builds: Pick<Builds, "history">): Promise<Stands[]> {
  return Promise.all(
    [...config.projects.values()].map(async (project) => ({
      project,
      build: telling(await pastOf(builds, project, LOOKED_AT)),
    })),
  );
}

/** Of a branch that is broken: as much as its incident says. */
interface BrokenBranch {
  readonly project: ProjectName;
  readonly branch: GitRef;
  readonly firstBad: { readonly number: BuildNumber };
}

/** `docker #43`, and where a project's main branch has not failed, `docker release #41` of its others. */
export function brokenNames(all: readonly Stands[], incidents: readonly BrokenBranch[]): string[] {
  return all.flatMap(({ project: { name, branch: main }, build }) => {
    if (build?.state.kind === "failed") return [`${name} #${build.number}`];
    // What could not run says nothing about the branch: it is as broken as it was before.
    const stays = build?.state.kind === "errored";
    return incidents
      .filter(({ project, branch }) => project === name && (stays || branch !== main))
      .map(({ branch, firstBad }) => `${name}${branch === main ? "" : ` ${branch}`} #${firstBad.number}`);
  });
}

/** `could not run: docker #43`, which is nobody's change; empty where all of them could. */
export function couldNotRun(all: readonly Stands[]): string {
  const names = all.flatMap(({ project: { name }, build }) =>
    build?.state.kind === "errored" ? [`${name} #${build.number}`] : [],
  );
  return names.length === 0 ? "" : `could not run: ${names.join(", ")}`;
}
