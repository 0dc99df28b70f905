/** Links `name:alias`: the container is reached under the alias, over a network that both are in (O-157). */

export const LINK_EXAMPLES = 'a link such as "redis:db" (application or container, then the name it is reached under)';

export interface Link {
  /** An application of the file, else a container's name. */
  readonly target: string;
  readonly alias: string;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

/** `undefined` when it is none. Without an alias the name is its own. */
export function parseLink(text: string): Link | undefined {
  const [target = "", alias = target, ...more] = text.trim().split(":");
  return more.length === 0 && NAME.test(target) && NAME.test(alias) ? { target, alias } : undefined;
}

/** The network through which a container is reached by those that link to it. */
export function linkNetwork(container: string): string {
  return `dcr-${container}`;
}
