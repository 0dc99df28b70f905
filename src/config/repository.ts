/** Where a project's code is: addresses of git repositories, and the forge behind them. */
import { scalar } from "./scalars.ts";

/** A site with pull requests and commit statuses. */
export interface Forge {
  readonly kind: "github";
  readonly owner: string;
  readonly name: string;
}

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
  "a repository of a forge, such as github:distribution/distribution",
  (value): Forge | undefined => {
    const match = /^github:([A-Za-z0-9-]{1,39})\/([A-Za-z0-9._-]{1,100})$/.exec(value);
    return match === null ? undefined : { kind: "github", owner: match[1] ?? "", name: match[2] ?? "" };
  },
);

/** The forge that an address tells by itself: github.com's over https, ssh and git. */
export function forgeOf(address: string): Forge | undefined {
  const match =
    /^(?:https?:\/\/(?:[^/@]*@)?|ssh:\/\/git@|git:\/\/|git@)github\.com[/:]([A-Za-z0-9-]+)\/([A-Za-z0-9._-]+?)(?:\.git)?\/?$/.exec(
      address,
    );
  return match === null ? undefined : { kind: "github", owner: match[1] ?? "", name: match[2] ?? "" };
}
