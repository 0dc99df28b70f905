/** Builds pull requests, merged into their own base; those of outsiders wait for somebody's word where the project asks for it. */
import { pullRequestName } from "../builds/pull-request.ts";
import type { Project } from "../config.ts";
import { type BuildNumber, GitRef, type Sha } from "../names.ts";
import { cleanName } from "../results/clean-name.ts";
import { type Commit, type Revision, type Revisions, UnknownRefError } from "../revisions.ts";
import type { Commented, PullRequestChanged, Taken } from "./change.ts";
import type { Kept } from "./kept.ts";
import { type PullRequest, pullRequestsOf } from "./pull-request.ts";
import { hasPathRules, whyNotBuilt } from "./rules.ts";
import { automatic, cancelKnown, filesOf, gitSignal, messageOf, type Scene, skip, supersede } from "./scene.ts";
import { okToTest, waitingNotices } from "./waiting-notice.ts";

const NO_ENGINE = "this process has no engine to look at pull requests with";

/** @throws RuntimeError when git does not answer. */
export async function takePullRequest(scene: Scene, project: Project, change: PullRequestChanged): Promise<Taken> {
  if (change.action === "closed") return close(scene, project, change);
  const ref = pullRequestName(change.number);
  if (project.pullRequests === "never") return { kind: "skipped", reason: "the project has pull_requests: never" };
  if (scene.revisions === undefined) return { kind: "skipped", reason: NO_ENGINE };
  const pulls = pullRequestsOf(scene.redis, project.name);
  const field = String(change.number);
  for (;;) {
    const before = await pulls.read(field);
    const revision = await look(scene, scene.revisions, project, change, before.value);
    if (revision === undefined) return skip(scene, project.name, ref, change.head, `the repository has no ${ref}`);
    const { waitingSince, ...known } = merged(before.value, change, revision.sha);
    const built = before.value?.isClosed === true ? undefined : known.built;
    if (built?.head === revision.sha && built.into === change.into) {
      if (!(await pulls.change(field, before, known))) continue;
      return { kind: "built", builds: [built.build] };
    }
    const reason = change.isDraft ? "it is a draft" : await whyNot(scene, scene.revisions, project, revision);
    if (reason !== undefined) {
      if (!(await pulls.change(field, before, known))) continue;
      return skip(scene, project.name, ref, revision.sha, reason);
    }
    if (!mayRun(project, known)) {
      const waiting: PullRequest = { ...known, waitingSince: waitingSince ?? scene.clock.now().toISOString() };
      const notices = waitingSince === undefined ? await waitingNotices(scene, project, waiting) : [];
      if (!(await pulls.change(field, before, waiting, notices))) continue;
      return { kind: "waits", reason: `${ref} waits for ${okToTest(scene.config, project, change.number)}` };
    }
    const build = await buildPullRequest(scene, project, before, known, revision);
    if (build !== undefined) return { kind: "built", builds: [build] };
  }
}

/**
 * Asks for a build of a pull request, and takes the place of the one before.
 * @param asked names the request; default: the head, for the first time.
 * @returns undefined when the record is not as it was read: read again, which gets the same build.
 */
export async function buildPullRequest(
  scene: Scene,
  project: Project,
  before: Kept<PullRequest>,
  { waitingSince: _, ...pull }: PullRequest,
  revision: Revision,
  asked = `pull:${project.name}:${pull.number}:${revision.sha}:${pull.taken}`,
): Promise<BuildNumber | undefined> {
  const by = pull.by === "" ? revision.author : pull.by;
  const build = await scene.builds.request({
    project: project.name,
    ref: pullRequestName(pull.number),
    requester: automatic(project.name, "pull request", by),
    event: "pull_request",
    revision,
    untrusted: !pull.isTrusted,
    asked,
  });
  await supersede(scene, project, before.value?.built?.build, build.number, by);
  const next: PullRequest = {
    ...pull,
    head: revision.sha,
    taken: pull.taken + 1,
    built: { head: revision.sha, into: pull.into, build: build.number },
  };
  const changed = await pullRequestsOf(scene.redis, project.name).change(String(pull.number), before, next);
  return changed ? build.number : undefined;
}

/** `/test`, `/retest` and `/cancel`; `/ok-to-test` is allow-pull-request.ts. */
export async function takeComment(
  scene: Scene,
  project: Project,
  comment: Commented,
  delivery: string,
): Promise<Taken> {
  const ref = pullRequestName(comment.number);
  const { revisions } = scene;
  if (project.pullRequests === "never") return { kind: "skipped", reason: "the project has pull_requests: never" };
  if (comment.command === "cancel") {
    const known = await pullRequestsOf(scene.redis, project.name).read(String(comment.number));
    return cancelBuild(scene, known.value, comment.by, `asked for at ${ref}`);
  }
  if (revisions === undefined) return { kind: "skipped", reason: NO_ENGINE };
  const pulls = pullRequestsOf(scene.redis, project.name);
  for (;;) {
    const before = await pulls.read(String(comment.number));
    if (before.value?.isClosed === true) return { kind: "skipped", reason: `${ref} is closed` };
    const into = before.value?.into ?? project.branch;
    const revision = await current(scene, revisions, project, comment.number, into);
    if (revision === undefined) return { kind: "skipped", reason: `the repository has no ${ref}` };
    const change: PullRequestChanged = {
      kind: "pull_request",
      project: project.name,
      number: comment.number,
      action: "updated",
      head: revision.sha,
      into,
      title: before.value?.title ?? revision.title,
      by: before.value?.by ?? revision.author,
      // Nobody told whose it is.
      isTrusted: before.value?.isTrusted ?? false,
      isDraft: before.value?.isDraft ?? false,
    };
    const known = merged(before.value, change, revision.sha);
    if (!mayRun(project, known)) return takePullRequest(scene, project, change);
    const build = await buildPullRequest(
      scene,
      project,
      before,
      known,
      revision,
      `comment:${project.name}:${delivery}`,
    );
    if (build !== undefined) return { kind: "built", builds: [build] };
  }
}

/** The pull request as it is now; undefined where the repository has none of that number. */
export async function current(
  scene: Scene,
  revisions: Revisions,
  project: Project,
  number: number,
  into: GitRef,
): Promise<Revision | undefined> {
  try {
    return await revisions.pullRequest(project.repo, number, into, gitSignal(scene));
  } catch (error) {
    if (error instanceof UnknownRefError) return undefined;
    throw error;
  }
}

async function close(scene: Scene, project: Project, { number, by }: PullRequestChanged): Promise<Taken> {
  const pulls = pullRequestsOf(scene.redis, project.name);
  for (;;) {
    const before = await pulls.read(String(number));
    if (before.value === undefined)
      return { kind: "skipped", reason: `no build of ${pullRequestName(number)} is known` };
    const { waitingSince: _, ...rest } = before.value;
    const taken = await cancelBuild(scene, rest, by, `${pullRequestName(number)} was closed`);
    if (await pulls.change(String(number), before, { ...rest, isClosed: true })) return taken;
  }
}

async function cancelBuild(scene: Scene, pull: PullRequest | undefined, by: string, reason: string): Promise<Taken> {
  const build = pull?.built?.build;
  if (build === undefined || !(await cancelKnown(scene, build, by, reason, "any"))) {
    return { kind: "skipped", reason: "nothing of it waits or runs" };
  }
  return { kind: "cancelled", builds: [build] };
}

/** The record with what the change says. */
function merged(known: PullRequest | undefined, change: PullRequestChanged, head: Sha): PullRequest {
  return {
    taken: 0,
    ...known,
    number: change.number,
    head,
    into: change.into,
    title: change.title === "" ? (known?.title ?? "") : cleanName(change.title),
    by: change.by === "" ? (known?.by ?? "") : (known?.by ?? cleanName(change.by)),
    isTrusted: change.isTrusted,
    isClosed: false,
    isDraft: change.isDraft,
  };
}

function mayRun(project: Project, { isTrusted, allowed, head }: PullRequest): boolean {
  return isTrusted || project.pullRequests === "run" || allowed?.head === head;
}

/**
 * The head that the change is about, with the base as it is now. The forge's ref may lag behind the webhook, or be ahead of one
 * that comes late: then it is what is built, since a head that is no longer there matters to nobody.
 */
async function look(
  scene: Scene,
  revisions: Revisions,
  project: Project,
  { number, head, into }: PullRequestChanged,
  known: PullRequest | undefined,
): Promise<Revision | undefined> {
  const now = await current(scene, revisions, project, number, into);
  if (now === undefined || now.sha === head || now.sha !== known?.head || known.head === head) return now;
  try {
    const { sha, title, author, committedAt } = await revisions.resolve(
      project.repo,
      GitRef.parse(head),
      gitSignal(scene),
    );
    return { ...now, sha, title, author, committedAt };
  } catch (error) {
    if (error instanceof UnknownRefError) return now;
    throw error;
  }
}

/** The commits of a pull request: what its head has and its target has not; undefined where they have no history in common. */
export async function commitsOf(
  scene: Scene,
  revisions: Revisions,
  project: Project,
  { sha, ref }: Pick<Revision, "sha" | "ref">,
): Promise<readonly Commit[] | undefined> {
  const from = await revisions.mergeBase(project.repo, ref, sha, gitSignal(scene));
  return from === undefined ? undefined : revisions.between(project.repo, from, sha, gitSignal(scene));
}

async function whyNot(
  scene: Scene,
  revisions: Revisions,
  project: Project,
  revision: Revision,
): Promise<string | undefined> {
  const commits = hasPathRules(project) ? await commitsOf(scene, revisions, project, revision) : undefined;
  const message = await messageOf(scene, project, revision);
  return whyNotBuilt(project, message, commits === undefined ? undefined : filesOf(commits));
}
