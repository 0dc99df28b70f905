/** How often a project's repository is looked at. */
import type { Config, Forge, Project } from "../config.ts";

const DEFAULT_MS = 60_000;
/** Where a webhook tells of every push, looking only finds what it missed. */
const BESIDE_WEBHOOK_MS = 10 * 60_000;

/** Undefined where the project does not want it. */
export function pollIntervalMs(
  config: Pick<Config, "github" | "gitea" | "gitlab">,
  { pollMs, forge }: Project,
): number | undefined {
  if (pollMs === "off") return undefined;
  if (pollMs !== undefined) return pollMs;
  return forge !== undefined && tells(config, forge) ? BESIDE_WEBHOOK_MS : DEFAULT_MS;
}

/** Whether its webhooks are listened to. */
function tells({ github, gitea, gitlab }: Pick<Config, "github" | "gitea" | "gitlab">, forge: Forge): boolean {
  if (forge.kind === "github") return github?.webhookSecret !== undefined;
  const sites = forge.kind === "gitea" ? gitea : gitlab;
  return sites.some(({ host, webhookSecret }) => host === forge.host && webhookSecret !== undefined);
}
