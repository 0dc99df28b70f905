/** Commits and pull requests as rooms of the network `forge`, and what may be said there. */
import type { Room } from "../chat/message.ts";
import type { Config, Forge } from "../config.ts";
import { FORGE_NETWORK, type Sha } from "../names.ts";

export type ForgeConfig = Pick<Config, "projects" | "url" | "github" | "gitea">;

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

/** Undefined where nothing may be said: there is no token, or nobody here speaks with that kind of forge. */
export function forgeAccess(
  { github, gitea }: Pick<ForgeConfig, "github" | "gitea">,
  forge: Forge | undefined,
): { readonly comment: boolean } | undefined {
  if (forge === undefined || forge.kind === "gitlab") return undefined;
  const site = forge.kind === "github" ? github : gitea.find(({ host }) => host === forge.host);
  return site?.token === undefined ? undefined : { comment: site.comment };
}

/** Whether there is any project of which a forge is told. */
export function speaksWithForges(config: ForgeConfig): boolean {
  return [...config.projects.values()].some(({ forge }) => forgeAccess(config, forge) !== undefined);
}
