/** Where a project's code is: addresses of git repositories, and the forge behind them. */
import { scalar } from "./scalars.ts";

/** A site with pull requests and commit statuses. */
export type Forge = GithubRepository | HostedRepository;
export type ForgeKind = Forge["kind"];

export interface GithubRepository {
  readonly kind: "github";
  readonly owner: string;
  readonly name: string;
}

/** On a forge of one's own; `host` is that of an entry of `gitea:` or `gitlab:`. */
export interface HostedRepository {
  readonly kind: "gitea" | "gitlab";
  readonly host: string;
  /** On GitLab a group, with the groups that it is in: `tools/build`. */
  readonly owner: string;
  readonly name: string;
}

/** Of a user, a group or a repository on a forge. */
const PATH_PART = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,254}$/;
const REPOSITORY = "a path, or an address that begins with https://, http://, ssh://, git:// or user@host:";

/**
 * Only the transports named above. Git's remote helpers (`ext::sh -c …`) run programs, and a leading dash would be an option.
 * A path is still as it was written; `isPath` tells.
 */
export const repository = scalar(REPOSITORY, (value) => {
  const trimmed = value.trim();
  if (trimmed === "" || trimmed.startsWith("-") || trimmed.includes("::") || /\p{Cc}/u.test(trimmed)) return undefined;
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed)) {
    return /^(https?|ssh|git):\/\//.test(trimmed) && URL.canParse(trimmed) ? trimmed : undefined;
  }
  return trimmed;
});

/** Whether an accepted address is a folder of this machine. Git's own rule: a colon before the first slash is a host. */
export function isPath(address: string): boolean {
  return !/^[a-z][a-z0-9+.-]*:\/\//i.test(address) && !/^[^/]+:/.test(address);
}

/** The address without the password in it, to be shown. */
export function shownRepository(address: string): string {
  return address.replace(/^([a-z+]+:\/\/)[^/@]*@/i, "$1");
}

export const forge = scalar(
  "a repository of a forge, such as github:distribution/distribution or gitea:git.example.org/ada/engine",
  readForge,
);

function readForge(written: string): Forge | undefined {
  const github = /^github:([A-Za-z0-9-]{1,39})\/([A-Za-z0-9._-]{1,100})$/.exec(written);
  if (github !== null) return { kind: "github", owner: github[1] ?? "", name: github[2] ?? "" };
  const hosted = /^(gitea|gitlab):([A-Za-z0-9.-]+(?::\d{1,5})?)\/(.+)\/([^/]+)$/.exec(written);
  if (hosted === null) return undefined;
  const [, kind, host = "", owner = "", name = ""] = hosted;
  const parts = [...owner.split("/"), name];
  if (!parts.every((part) => PATH_PART.test(part)) || (kind === "gitea" && parts.length > 2)) return undefined;
  return { kind: kind === "gitlab" ? "gitlab" : "gitea", host: host.toLowerCase(), owner, name };
}

/** The forge that an address tells by itself: github.com's over https, ssh and git. */
export function forgeOf(address: string): Forge | undefined {
  const match =
    /^(?:https?:\/\/(?:[^/@]*@)?|ssh:\/\/git@|git:\/\/|git@)github\.com[/:]([A-Za-z0-9-]+)\/([A-Za-z0-9._-]+?)(?:\.git)?\/?$/.exec(
      address,
    );
  return match === null ? undefined : { kind: "github", owner: match[1] ?? "", name: match[2] ?? "" };
}

/** The same for forges of one's own: over http their whole address tells, over ssh and git, which have ports of their own, the host's name. */
export function hostedForgeOf(
  address: string,
  kind: HostedRepository["kind"],
  sites: readonly { readonly url: string; readonly host: string }[],
): HostedRepository | undefined {
  const [, protocol = "ssh:", host = "", path = ""] =
    /^(?:([a-z]+:)\/\/)?(?:[^/@]*@)?([^/:]+(?::\d+)?)[/:](.+?)(?:\.git)?\/?$/.exec(address) ?? [];
  for (const site of sites) {
    const own = new URL(site.url);
    const isHttp = protocol.startsWith("http");
    if (host.replace(isHttp ? "" : /:\d+$/, "").toLowerCase() !== (isHttp ? site.host : own.hostname)) continue;
    const below = own.pathname.slice(1);
    const inside = isHttp && below !== "" && path.startsWith(`${below}/`) ? path.slice(below.length + 1) : path;
    const found = readForge(`${kind}:${site.host}/${inside}`);
    if (found?.kind === kind) return found;
  }
  return undefined;
}
