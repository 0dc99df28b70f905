/** What a pull request changes, as whoever lets it run wants to see it: what steers CI comes first. */
import type { Project } from "../config.ts";
import { describeError } from "../errors.ts";
import type { ProjectName } from "../names.ts";
import { cleanName } from "../results/clean-name.ts";
import type { Revision, Revisions } from "../revisions.ts";
import type { PullRequest } from "./pull-request.ts";
import { commitsOf } from "./pull-requests.ts";
import { filesOf, type Scene } from "./scene.ts";

export interface PullRequestChanges {
  /** Files that say how it is built and tested come first. */
  readonly files: readonly string[];
  /** How many of them, from the first, do. */
  readonly steering: number;
  /** There are more files than these. */
  readonly areFilesCut: boolean;
}

export interface WaitingPullRequest {
  readonly project: ProjectName;
  readonly pull: PullRequest;
}

/** Heads that are remembered: a page that looks again every few seconds asks git once. */
const REMEMBERED = 200;
/** Git is not asked again before that, where it did not answer. */
const RETRY_MS = 30_000;

/** @throws RuntimeError when git does not answer. */
export async function changesOf(
  scene: Scene,
  revisions: Revisions,
  project: Project,
  revision: Pick<Revision, "sha" | "ref">,
): Promise<PullRequestChanges> {
  const commits = (await commitsOf(scene, revisions, project, revision)) ?? [];
  const files = [...new Set(commits.flatMap((commit) => commit.files))].map(cleanName);
  const steering = files.filter(isSteering);
  return {
    files: [...steering, ...files.filter((file) => !isSteering(file))],
    steering: steering.length,
    areFilesCut: commits.length === 0 || filesOf(commits) === undefined,
  };
}

/** Files that say what runs in a build: the pipeline, the image, scripts. */
function isSteering(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  return (
    /^\.docker-ci\.ya?ml$|^(?:dockerfile|containerfile)(?:\..*)?$|\.dockerfile$|^\.dockerignore$|^(?:docker-)?compose.*\.ya?ml$/.test(
      name,
    ) ||
    /^(?:gnu)?makefile$|^justfile$|^package\.json$|^\.npmrc$|^setup\.py$|^conftest\.py$|\.(?:sh|bash|mk|ps1)$/.test(
      name,
    ) ||
    /^(?:\.ci|\.github|ci|scripts|hack)\//i.test(path)
  );
}

/** Looks up what those change that wait; undefined where nobody can tell now. Never rejects. */
export function rememberedChanges(scene: Scene) {
  const { config, revisions, clock, log } = scene;
  const known = new Map<string, { readonly at: number; readonly found: Promise<PullRequestChanges | undefined> }>();

  return async ({ project: name, pull }: WaitingPullRequest): Promise<PullRequestChanges | undefined> => {
    const project = config.projects.get(name);
    if (project === undefined || revisions === undefined) return undefined;
    const key = `${name} ${pull.head} ${pull.into}`;
    const before = known.get(key);
    if (before !== undefined) {
      const found = await before.found;
      if (found !== undefined || clock.now().getTime() - before.at < RETRY_MS) return found;
    }
    const asking = { sha: pull.head, ref: pull.into };
    const found = changesOf(scene, revisions, project, asking).then(
      (changes) => (changes.files.length === 0 && changes.areFilesCut ? undefined : changes),
      (error: unknown) => {
        const fields = { reason: describeError(error), project: name, pull: pull.number };
        if (!scene.signal.aborted) log.warn(fields, "cannot tell what a pull request changes");
        return undefined;
      },
    );
    known.delete(key);
    known.set(key, { at: clock.now().getTime(), found });
    const [oldest] = known.keys();
    if (known.size > REMEMBERED && oldest !== undefined) known.delete(oldest);
    return found;
  };
}
