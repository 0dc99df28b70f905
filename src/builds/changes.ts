/** The commits that came in between a build and the one before it on its branch, or with a pull request: asked of git once, and remembered. */
import type { Logger } from "pino";
import type { Config } from "../config.ts";
import { describeError } from "../errors.ts";
import type { BuildNumber, Sha } from "../names.ts";
import type { Commit, Revisions } from "../revisions.ts";
import type { Build } from "./build.ts";
import type { Builds } from "./builds.ts";
import { branchOf } from "./expected.ts";

/** A git server that is slow does not hold a page for longer. */
const TIMEOUT_MS = 20_000;
const REMEMBERED = 500;
/** How far back the build before is looked for. */
const LOOKED_THROUGH = 100;

export interface Changes {
  /** The build before on the same branch that knew its revision; undefined for a pull request, which is told as a whole. */
  readonly since: BuildNumber | undefined;
  /** The newest first; without any for a build of the same revision. */
  readonly commits: readonly Commit[];
}

/** Resolves with undefined where there is nothing to compare with, or git could not be asked. */
export type ReadChanges = (build: Build) => Promise<Changes | undefined>;

export function createChanges(deps: {
  readonly config: Config;
  readonly builds: Pick<Builds, "latest">;
  readonly revisions: Pick<Revisions, "between"> | undefined;
  readonly log: Logger;
}): ReadChanges {
  const { config, builds, revisions, log } = deps;
  const remembered = new Map<string, Promise<readonly Commit[] | undefined>>();

  const between = (repo: string, old: Sha | undefined, to: Build): Promise<readonly Commit[] | undefined> => {
    const now = to.revision?.sha;
    if (old === undefined || now === undefined || revisions === undefined) return Promise.resolve(undefined);
    if (old === now) return Promise.resolve([]);
    const key = `${repo} ${old} ${now}`;
    const known = remembered.get(key);
    if (known !== undefined) return known;
    const asked = revisions.between(repo, old, now, AbortSignal.timeout(TIMEOUT_MS)).catch((error: unknown) => {
      // Asked again the next time.
      remembered.delete(key);
      log.debug({ reason: describeError(error), build: to.number }, "the changes of a build are not known");
      return undefined;
    });
    remembered.set(key, asked);
    const [oldest] = remembered.keys();
    if (remembered.size > REMEMBERED && oldest !== undefined) remembered.delete(oldest);
    return asked;
  };

  return async (build) => {
    const repo = config.projects.get(build.project)?.repo;
    if (repo === undefined || build.revision === undefined) return undefined;
    const { pullRequest } = build.revision;
    if (pullRequest !== undefined) {
      const commits = await between(repo, pullRequest.base, build);
      return commits === undefined ? undefined : { since: undefined, commits };
    }
    const before = (await builds.latest(LOOKED_THROUGH, build.project)).find(
      ({ number, revision, ...rest }) =>
        number < build.number && revision !== undefined && branchOf({ revision, ...rest }) === branchOf(build),
    );
    if (before === undefined) return undefined;
    const commits = await between(repo, before.revision?.sha, build);
    return commits === undefined ? undefined : { since: before.number, commits };
  };
}
