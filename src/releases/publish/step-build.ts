/** The build whose artifacts are published: at exactly the revision that was agreed to, and once. */
import { setTimeout as sleep } from "node:timers/promises";
import { type FinishedBuild, isFinished, type Requester } from "../../builds/build.ts";
import { RuntimeError } from "../../errors.ts";
import { GitRef, TRIGGER_NETWORK } from "../../names.ts";
import type { Revision } from "../../revisions.ts";
import { releaseName } from "../release.ts";
import type { Publication } from "./scene.ts";

const LOOK_MS = 1_000;

/** Asks for it, and waits until it is over. @throws RuntimeError when it did not pass. */
export async function build(publication: Publication): Promise<void> {
  const { scene, release } = publication;
  if (release.state.build === undefined) {
    const { project, sha } = release.plan;
    const asked = await scene.builds.request({
      project,
      ref: release.plan.ref,
      revision: await revisionOf(publication),
      requester: requesterOf(publication),
      event: "release",
      untrusted: false,
      ...(release.plan.skipTests === undefined ? {} : { skipTests: release.plan.skipTests }),
      // Made again after a crash, it gets the same build.
      asked: `release-${release.number}-build`,
    });
    if (asked.revision?.sha !== sha)
      throw new RuntimeError(`#${asked.number} is of another revision`, { retryable: false });
    await publication.note({ build: asked.number });
  }
  await passedBuild(publication);
}

/** The build, once it is over. @throws RuntimeError when it did not pass. */
export async function passedBuild(publication: Publication): Promise<FinishedBuild> {
  const { scene, signal, release } = publication;
  const { build: number } = release.state;
  if (number === undefined) throw new RuntimeError("its build is not known", { retryable: false });
  for (;;) {
    const found = await scene.builds.get(number);
    if (isFinished(found)) return passed(found);
    await sleep(scene.buildLookMs ?? LOOK_MS, undefined, { signal });
  }
}

function passed(build: FinishedBuild): FinishedBuild {
  const { number, state } = build;
  switch (state.kind) {
    case "passed":
      return build;
    case "failed":
      throw final(`#${number} failed: ${state.reason}`);
    case "errored":
      throw final(`#${number} could not be run: ${state.reason}`);
    case "cancelled":
      throw final(`#${number} was cancelled by ${state.by}${state.reason === undefined ? "" : `: ${state.reason}`}`);
    default:
      return state satisfies never;
  }
}

/** As the name means it now where that is the same commit, so that `when: branch` holds as it does for any other build. */
async function revisionOf({ scene, release, project, signal }: Publication): Promise<Revision> {
  const { sha, ref, title, author } = release.plan;
  const known = { sha, title, author };
  if (scene.revisions === undefined) {
    throw new RuntimeError("there is no engine here to read the repository with", { retryable: false });
  }
  const commit = await scene.revisions.resolve(project.repo, GitRef.parse(sha), signal);
  if (commit.sha !== sha) throw final(`the repository has another commit under ${sha}`);
  if (ref === project.branch) return { ...commit, ...known, kind: "branch", ref };
  const named = await scene.revisions.resolve(project.repo, ref, signal);
  return named.sha === sha ? named : commit;
}

function requesterOf({ release }: Publication): Requester {
  const name = releaseName(release);
  const room = { network: TRIGGER_NETWORK, kind: "direct", name: release.plan.project } as const;
  return { name, displayName: name, network: TRIGGER_NETWORK, room };
}

function final(message: string): RuntimeError {
  return new RuntimeError(message, { retryable: false });
}
