/** Pull requests as people name them, and what it means for a build to be of one. */
import { quoted } from "../chat/quoted.ts";
import type { Project } from "../config.ts";
import { GitRef } from "../names.ts";
import type { BuildEvent } from "../pipeline/build-event.ts";
import type { Revision, Revisions, UnknownRefError } from "../revisions.ts";
import type { Build } from "./build.ts";

const NAME = /^PR#([1-9]\d{0,8})$/i;

/** The number in `PR#12`; undefined for any other ref. A branch of such a name cannot be built by it. */
export function pullRequestNumber(ref: string): number | undefined {
  const number = NAME.exec(ref)?.[1];
  return number === undefined ? undefined : Number(number);
}

export function pullRequestName(number: number): GitRef {
  return GitRef.parse(`PR#${number}`);
}

/** Known by its revision, and before there is one by its name. */
export function isOfPullRequest({ ref, revision }: Pick<Build, "ref" | "revision">): boolean {
  return revision === undefined ? pullRequestNumber(ref) !== undefined : revision.kind === "pull_request";
}

/** What set it off, as `when:` knows it: a pull request is one, whoever asked for it to be built. */
export function eventOf(build: Pick<Build, "ref" | "revision" | "event">): BuildEvent {
  return isOfPullRequest(build) ? "pull_request" : (build.event ?? "chat");
}

/** The branch that is built, or that the pull request goes to; undefined for a tag or a commit. */
export function targetBranch(revision: Revision | undefined): GitRef | undefined {
  return revision?.kind === "branch" || revision?.kind === "pull_request" ? revision.ref : undefined;
}

/**
 * What a name means at this moment. A pull request goes to the project's branch: whoever knows better, as a webhook does, asks for it
 * by its revision.
 * @throws UnknownRefError, or whatever else keeps git from answering.
 */
export function lookUp(
  revisions: Revisions,
  { repo, branch }: Pick<Project, "repo" | "branch">,
  ref: GitRef,
  signal: AbortSignal,
): Promise<Revision> {
  const number = pullRequestNumber(ref);
  return number === undefined
    ? revisions.resolve(repo, ref, signal)
    : revisions.pullRequest(repo, number, branch, signal);
}

/** `docker has no branch, tag or commit "nosuch". Nearest: nosuch-fix. All: https://ci.example.org/projects/docker` */
export function unknownRef(
  project: Pick<Project, "name">,
  { ref, nearest: near }: Pick<UnknownRefError, "ref" | "nearest">,
  url: string,
): string {
  const number = pullRequestNumber(ref);
  if (number !== undefined) return `${project.name} has no pull request ${number}.`;
  const nearestNames = near.length === 0 ? "" : ` Nearest: ${near.join(", ")}.`;
  return `${project.name} has no branch, tag or commit ${quoted(ref)}.${nearestNames} All: ${url}/projects/${project.name}`;
}
