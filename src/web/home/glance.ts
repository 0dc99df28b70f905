/** What the first page says of each project, read from the records. */
import type { Build } from "../../builds/build.ts";
import type { Outlook } from "../../builds/builds.ts";
import { pastOf, telling } from "../../builds/stands.ts";
import type { Project } from "../../config.ts";
import type { Incident } from "../../incidents/incident.ts";
import type { Release } from "../../releases/release.ts";
import type { WebDeps } from "../deps.ts";

/** How many results stand in a strip. */
const STRIP = 20;

export interface Glance {
  readonly project: Project;
  /** Of the main branch, newest first; where that was never built, of any. */
  readonly builds: readonly Build[];
  /** How it stands: the newest build that is over and was not cancelled, else the newest. */
  readonly standing: Build | undefined;
  readonly running: readonly Build[];
  readonly incidents: readonly Incident[];
  /** How many pull requests of outsiders wait for somebody's word. */
  readonly waiting: number;
}

export interface Overview {
  readonly glances: readonly Glance[];
  readonly outlook: Outlook;
  /** What waits for approvals, the oldest first. */
  readonly releases: readonly Release[];
  /** Whether anybody is there to build. */
  readonly workers: number;
}

export async function readOverview({
  config,
  builds,
  incidents,
  releases,
  workers,
  pullRequests,
}: WebDeps): Promise<Overview> {
  const [open, up, waiting, unapproved, pasts] = await Promise.all([
    incidents(),
    workers(),
    pullRequests.waiting(),
    releases.waiting(),
    Promise.all(
      [...config.projects.values()].map(async (project) => ({ project, past: await pastOf(builds, project, STRIP) })),
    ),
  ]);
  const outlook = await builds.outlook(up);
  const glances = pasts.map(({ project, past }): Glance => {
    return {
      project,
      builds: past,
      standing: telling(past),
      running: outlook.running.filter((build) => build.project === project.name),
      incidents: open.filter((incident) => incident.project === project.name),
      waiting: waiting.filter((each) => each.project === project.name).length,
    };
  });
  return { glances, outlook, releases: unapproved, workers: up.length };
}

/** As the chats have it (builds/stands.ts): what could not run is as broken as it was before. */
export function isBroken({ project, standing, incidents }: Glance): boolean {
  if (standing?.state.kind === "failed") return true;
  return standing?.state.kind === "errored" && incidents.some(({ branch }) => branch === project.branch);
}

/** Its newest build could not run, which is nobody's change. */
export function couldNotRun(glance: Glance): boolean {
  return glance.standing?.state.kind === "errored" && !isBroken(glance);
}
