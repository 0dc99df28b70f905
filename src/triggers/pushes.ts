/** Builds what was pushed: a branch's new head, a new tag. Doing it again for the same head changes nothing. */
import type { Project } from "../config.ts";
import { GitRef, type Sha } from "../names.ts";
import { type Revision, UnknownRefError } from "../revisions.ts";
import type { Pushed, Tagged, Taken } from "./change.ts";
import { type Head, headLedger } from "./head-ledger.ts";
import { hasPathRules, isBranchWanted, whyNotBuilt } from "./rules.ts";
import { automatic, filesOf, gitSignal, messageOf, type Scene, skip, supersede } from "./scene.ts";

const GONE = "the repository does not have the commit any more";

/**
 * @param isOvertaken whether a newer push of the branch waits behind this one and is sure to be built.
 * @throws RuntimeError when git does not answer.
 */
export async function takePush(
  scene: Scene,
  project: Project,
  push: Pushed,
  isOvertaken: () => boolean = () => false,
): Promise<Taken> {
  const { branch, after } = push;
  if (!isBranchWanted(project, branch)) return { kind: "skipped", reason: `branches: does not name ${branch}` };
  const { name } = project;
  const ledger = headLedger(scene.redis, name);
  const field = `refs/heads/${branch}`;
  for (;;) {
    const before = await ledger.read(field);
    const head = before.value;
    // One that was only seen at a first look is built when a webhook tells that it was pushed.
    if (head?.sha === after && head.taken > 0) return takenBefore(head);
    const late = await whyLate(scene, project, field, push, head);
    if (late !== undefined) return skip(scene, name, branch, after, late);

    const taken = (head?.taken ?? 0) + 1;
    const revision = await revisionOrReason(scene, project, push, isOvertaken);
    // The ledger is left alone: a git server that lags behind its webhook has the commit at the next look.
    if (revision === undefined) return skip(scene, name, branch, after, GONE);
    if (typeof revision === "string") {
      // The older build stays in the line: what it tests may be in no build but that.
      const kept = head?.build === undefined ? {} : { build: head.build };
      if (!(await ledger.change(field, before, { sha: after, taken, skipped: revision, ...kept }))) continue;
      return skip(scene, name, branch, after, revision);
    }

    const by = push.by === "" ? revision.author : push.by;
    const build = await scene.builds.request({
      project: name,
      ref: branch,
      requester: automatic(name, "push", by),
      event: "push",
      revision,
      asked: `push:${name}:${field}:${after}:${taken}`,
    });
    await supersede(scene, project, head?.build, build.number, by);
    if (await ledger.change(field, before, { sha: after, taken, build: build.number })) {
      return { kind: "built", builds: [build.number] };
    }
  }
}

/** What is to be built, or why nothing is; undefined for a commit that is gone. */
async function revisionOrReason(
  scene: Scene,
  project: Project,
  push: Pushed,
  isOvertaken: () => boolean,
): Promise<Revision | string | undefined> {
  const { messages, after, branch } = push;
  const reason = whyNotBuilt(project, messages.at(-1), await filesOfPush(scene, project, push));
  if (reason !== undefined) return reason;
  if (isOvertaken()) return "superseded by a newer push";
  const revision = await revisionOf(scene, project, push, after, "branch", branch);
  if (revision === undefined || messages.length > 0) return revision;
  return whyNotBuilt(project, await messageOf(scene, project, revision), undefined) ?? revision;
}

/** A tag says that somebody wants it built: neither paths nor the commit's words count. */
export async function takeTag(scene: Scene, project: Project, { tag, sha, by }: Tagged): Promise<Taken> {
  if (!project.tags) return { kind: "skipped", reason: "the project has tags: false" };
  const { name } = project;
  const ledger = headLedger(scene.redis, name);
  const field = `refs/tags/${tag}`;
  const known = await ledger.read(field);
  if (known.value?.sha === sha && known.value.taken > 0) return takenBefore(known.value);
  const revision = await revisionOf(scene, project, { by, messages: [] }, sha, "tag", tag);
  if (revision === undefined) return skip(scene, name, tag, sha, GONE);
  for (;;) {
    const before = await ledger.read(field);
    const head = before.value;
    // An annotated tag has a name of its own; it is known by the commit.
    if (head?.sha === revision.sha && head.taken > 0) return takenBefore(head);
    const taken = (head?.taken ?? 0) + 1;
    const who = by === "" ? revision.author : by;
    const build = await scene.builds.request({
      project: name,
      ref: tag,
      requester: automatic(name, "tag", who),
      event: "tag",
      revision,
      asked: `tag:${name}:${field}:${revision.sha}:${taken}`,
    });
    await supersede(scene, project, head?.build, build.number, who);
    if (await ledger.change(field, before, { sha: revision.sha, taken, build: build.number })) {
      return { kind: "built", builds: [build.number] };
    }
  }
}

function takenBefore({ skipped, build }: Head): Taken {
  if (skipped !== undefined) return { kind: "skipped", reason: skipped };
  return { kind: "built", builds: build === undefined ? [] : [build] };
}

/**
 * A push that does not follow upon the head that we know came late, or one before it was missed: git knows which.
 * @returns why it is too late for it; undefined when it is not.
 */
async function whyLate(
  scene: Scene,
  project: Project,
  field: string,
  { before, after, branch }: Pushed,
  head: Head | undefined,
): Promise<string | undefined> {
  if (scene.revisions === undefined || head === undefined || before === head.sha) return undefined;
  const now = (await scene.revisions.heads(project.repo, gitSignal(scene))).get(field);
  if (now === undefined) return `there is no branch ${branch} any more`;
  if (now === after || now !== head.sha) return undefined;
  return head.build === undefined ? "superseded by a newer push" : `superseded by #${head.build}`;
}

/** Only looked for where it matters. */
async function filesOfPush(
  scene: Scene,
  project: Project,
  { files, before, after }: Pushed,
): Promise<readonly string[] | undefined> {
  if (!hasPathRules(project)) return undefined;
  if (files !== undefined || before === undefined || scene.revisions === undefined) return files;
  return filesOf(await scene.revisions.between(project.repo, before, after, gitSignal(scene)));
}

/** Exactly that commit, known by the name that it was pushed under; undefined when it is gone. */
async function revisionOf(
  scene: Scene,
  project: Project,
  { by, messages }: Pick<Pushed, "by" | "messages">,
  sha: Sha,
  kind: "branch" | "tag",
  ref: GitRef,
): Promise<Revision | undefined> {
  if (scene.revisions === undefined) {
    const title = messages.at(-1)?.split("\n", 1)[0] ?? "";
    return { sha, kind, ref, title, author: by, committedAt: scene.clock.now().toISOString() };
  }
  try {
    return { ...(await scene.revisions.resolve(project.repo, GitRef.parse(sha), gitSignal(scene))), kind, ref };
  } catch (error) {
    if (error instanceof UnknownRefError) return undefined;
    throw error;
  }
}
