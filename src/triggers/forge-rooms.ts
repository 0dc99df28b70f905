/** Commits and pull requests as rooms of the network `forge`, and what may be said there. */
import type { Room } from "../chat/message.ts";
import type { Config, Forge } from "../config.ts";
import { FORGE_NETWORK, type Sha } from "../names.ts";

export type ForgeConfig = Pick<Config, "projects" | "url" | "github" | "gitea" | "gitlab">;

/** What a commit is told, in order: `github/distribution/distribution/commit/0d6b721…`. */
export function commitRoom(forge: Forge, sha: Sha): Room {
  return room(`${repositoryName(forge)}/commit/${sha}`);
}

export function pullRequestRoom(forge: Forge, number: number): Room {
  return room(`${repositoryName(forge)}/pull/${number}`);
}

/** Direct, since what is said there is for nobody's digest. */
function room(name: string): Room {
  return { network: FORGE_NETWORK, kind: "direct", name };
}

function repositoryName(forge: Forge): string {
  return `${siteOf(forge)}/${forge.owner}/${forge.name}`;
}

/** Names the server: limits and outages are its own. */
export function siteOf(forge: Forge): string {
  return forge.kind === "github" ? forge.kind : `${forge.kind}/${forge.host}`;
}

/** What may be said to a forge. */
export interface ForgeAccess {
  /** GitLab's commits are told nothing. */
  readonly statuses: boolean;
  readonly comment: boolean;
}

/** Undefined where nothing may be said: there is no token, or nothing is wanted. */
export function forgeAccess(
  { github, gitea, gitlab }: Pick<ForgeConfig, "github" | "gitea" | "gitlab">,
  forge: Forge | undefined,
): ForgeAccess | undefined {
  if (forge === undefined) return undefined;
  const sites = { gitea, gitlab };
  const site = forge.kind === "github" ? github : sites[forge.kind].find(({ host }) => host === forge.host);
  if (site?.token === undefined) return undefined;
  const statuses = forge.kind !== "gitlab";
  return statuses || site.comment ? { statuses, comment: site.comment } : undefined;
}

/** Whether there is any project of which a forge is told. */
export function speaksWithForges(config: ForgeConfig): boolean {
  return [...config.projects.values()].some(({ forge }) => forgeAccess(config, forge) !== undefined);
}
