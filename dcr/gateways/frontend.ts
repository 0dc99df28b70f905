/** What a gateway knows of a domain, and the changes that `dcr` makes to it. Pure: a gateway commits them, see gateway.ts. */
import { z } from "zod";
import { UserError } from "../../src/errors.ts";

/** Who answers for a domain. */
export interface Frontend {
  /** The first entry of hipache's list; `undefined` when the domain is not known. */
  readonly identifier: string | undefined;
  /** `http://host:port`, in the order they are listed. */
  readonly backends: readonly string[];
}

/** What `dcr` keeps beside it: who registered what, and the list before the last change. */
export const Record = z.object({
  releases: z.record(z.string(), z.array(z.string())).default({}),
  previous: z
    .object({
      identifier: z.string(),
      backends: z.array(z.string()),
      releases: z.record(z.string(), z.array(z.string())),
    })
    .optional(),
});
export type Record = z.infer<typeof Record>;

export interface State {
  readonly frontend: Frontend;
  readonly record: Record;
}

/** The backends of one release of an application. */
export interface Registration {
  readonly release: string;
  readonly backends: readonly string[];
}

/** Nothing twice; what is listed already stays where it is (O-147). */
export function register({ frontend, record }: State, { release, backends }: Registration): State {
  const added = backends.filter((backend) => !frontend.backends.includes(backend));
  const releases = { ...record.releases, [release]: [...new Set([...(record.releases[release] ?? []), ...backends])] };
  const next = { identifier: frontend.identifier ?? release, backends: [...frontend.backends, ...added] };
  return after({ frontend, record }, next, releases);
}

/**
 * Takes a release's backends out: those that were recorded for it, and those it is known to have now.
 * @throws UserError where there is nothing to take out (O-148).
 */
export function unregister({ frontend, record }: State, { release, backends }: Registration, domain: string): State {
  const own = new Set([...(record.releases[release] ?? []), ...backends]);
  const left = frontend.backends.filter((backend) => !own.has(backend));
  if (frontend.backends.length === 0) throw new UserError(`${domain} has no backends.`);
  if (left.length === frontend.backends.length) throw new UserError(`${release} is not registered for ${domain}.`);
  const { [release]: _gone, ...releases } = record.releases;
  return after({ frontend, record }, { ...frontend, backends: left }, releases);
}

/** Leaves the identifier (O-149). */
export function unregisterAll({ frontend, record }: State, domain: string): State {
  if (frontend.backends.length === 0) throw new UserError(`${domain} has no backends.`);
  return after({ frontend, record }, { ...frontend, backends: [] }, {});
}

/** This release in place of all that is listed (O-150). */
export function replace(state: State, { release, backends }: Registration): State {
  return after(state, { identifier: release, backends: [...new Set(backends)] }, { [release]: [...new Set(backends)] });
}

/** The list before the last change; once more, and it is the one of now again. */
export function rollBack(state: State, domain: string): State {
  const { previous } = state.record;
  if (previous === undefined || previous.backends.length === 0)
    throw new UserError(`${domain} has no earlier list with backends to go back to.`);
  return after(state, previous, previous.releases);
}

/** The list of now becomes the previous one, unless nothing changes. */
function after(before: State, frontend: Frontend, releases: Record["releases"]): State {
  const { identifier, backends } = before.frontend;
  const isSame = identifier === frontend.identifier && backends.join() === frontend.backends.join();
  if (isSame) return { frontend, record: { ...before.record, releases } };
  const previous =
    identifier === undefined ? undefined : { identifier, backends: [...backends], releases: before.record.releases };
  return { frontend, record: { releases, ...(previous === undefined ? {} : { previous }) } };
}
