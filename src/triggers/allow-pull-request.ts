/** Somebody's word for an outsider's pull request: it lets one head run, and shows what that head changes. */
import { SHORT_SHA } from "../builds/describe.ts";
import type { Config, Project } from "../config.ts";
import { UserError } from "../errors.ts";
import type { BuildNumber } from "../names.ts";
import { cleanName } from "../results/clean-name.ts";
import { type PullRequest, pullRequestsOf } from "./pull-request.ts";
import {
  changesOf,
  type PullRequestChanges,
  rememberedChanges,
  type WaitingPullRequest,
} from "./pull-request-changes.ts";
import { buildPullRequest, current } from "./pull-requests.ts";
import type { Scene } from "./scene.ts";
import { describePullRequest, okToTest } from "./waiting-notice.ts";

export interface Allowed extends PullRequestChanges {
  readonly pull: PullRequest;
  readonly build: BuildNumber;
}

export interface PullRequests {
  /** Those that wait for somebody's word, the longest first. */
  waiting(): Promise<WaitingPullRequest[]>;
  /** What one that waits changes; undefined where nobody can tell now. Asked once for each head; never rejects. */
  changes(waiting: WaitingPullRequest): Promise<PullRequestChanges | undefined>;
  /**
   * Lets the head run that waits, and nothing that is pushed later. Saying it again for the same head gives the same build.
   * @param sha how the head begins that is meant, where it was said. @param asked names the request.
   * @throws UserError where there is nothing to allow, or the head is another by now.
   */
  allow(
    project: Project,
    number: number,
    said: { readonly by: string; readonly sha?: string | undefined; readonly asked: string },
  ): Promise<Allowed>;
}

export function createPullRequests(scene: Scene): PullRequests {
  const { config, redis, revisions } = scene;
  return {
    async waiting() {
      const found = await Promise.all(
        [...config.projects.keys()].map(async (project) => {
          const all = await pullRequestsOf(redis, project).all();
          return [...all.values()].flatMap(({ value }) =>
            value?.waitingSince === undefined ? [] : [{ project, pull: value }],
          );
        }),
      );
      return found.flat().sort((a, b) => (a.pull.waitingSince ?? "").localeCompare(b.pull.waitingSince ?? ""));
    },

    changes: rememberedChanges(scene),

    async allow(project, number, { by, sha, asked }) {
      if (revisions === undefined) throw new UserError("this docker-ci has no engine to look at pull requests with.");
      const pulls = pullRequestsOf(redis, project.name);
      for (;;) {
        const before = await pulls.read(String(number));
        const known = waitingOrAllowed(before.value, project, number);
        const revision = await current(scene, revisions, project, number, known.into);
        if (revision === undefined) throw new UserError(`${project.name} has no PR#${number} any more.`);
        if (revision.sha !== known.head) {
          const moved: PullRequest = { ...known, head: revision.sha, waitingSince: scene.clock.now().toISOString() };
          if (!(await pulls.change(String(number), before, moved))) continue;
        }
        if (revision.sha !== known.head || (sha !== undefined && !revision.sha.startsWith(sha.toLowerCase()))) {
          throw new UserError(newHead(config, project, { ...known, head: revision.sha }));
        }
        const changes = await changesOf(scene, revisions, project, revision);
        const pull: PullRequest = { ...known, allowed: { head: revision.sha, by: cleanName(by) } };
        const wasAllowed = known.allowed?.head === revision.sha && known.built?.head === revision.sha;
        const build = wasAllowed
          ? known.built?.build
          : await buildPullRequest(scene, project, before, pull, revision, asked);
        if (build === undefined) continue;
        return { pull, build, ...changes };
      }
    },
  };
}

function waitingOrAllowed(pull: PullRequest | undefined, project: Project, number: number): PullRequest {
  if (pull === undefined || pull.isClosed) throw new UserError(`no PR#${number} of ${project.name} waits.`);
  if (pull.waitingSince !== undefined || pull.allowed?.head === pull.head) return pull;
  const built = pull.built === undefined ? "" : `: #${pull.built.build} was built of it`;
  throw new UserError(`PR#${number} of ${project.name} does not wait for anybody's word${built}.`);
}

function newHead(config: Config, project: Project, pull: PullRequest): string {
  const head = pull.head.slice(0, SHORT_SHA);
  return `the head of ${describePullRequest(project, pull)} is ${head} now. Look at that, then say ${okToTest(config, project, pull.number)} ${head}`;
}
