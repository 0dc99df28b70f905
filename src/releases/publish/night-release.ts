/** What is published at night: the newest revision of the branch that passed, where that is not what last night published (O-92). */
import { type Build, isWhole, type Requester } from "../../builds/build.ts";
import type { Builds } from "../../builds/builds.ts";
import type { Project, ReleaseConfig } from "../../config.ts";
import { TRIGGER_NETWORK } from "../../names.ts";
import { cleanName } from "../../results/clean-name.ts";
import type { Revision, Revisions } from "../../revisions.ts";
import { pipelineDigest, planDigest } from "../digest.ts";
import { smokeTestOf } from "../plan.ts";
import type { Release, ReleasePlan, Version } from "../release.ts";
import { placeOf } from "./layout.ts";
import type { PublishScene } from "./scene.ts";

const LOOKED_THROUGH = 200;
const RELEASES_LOOKED_AT = 100;
const COMMITS = 50;
const PATIENCE_MS = 30_000;

export interface NightScene extends Pick<PublishScene, "config" | "releases" | "openSigner" | "clock"> {
  readonly builds: Pick<Builds, "history">;
  readonly revisions: Pick<Revisions, "between"> | undefined;
}

export type Night =
  | { readonly kind: "publish"; readonly draft: Omit<Release, "number" | "change"> }
  /** A phrase. */
  | { readonly kind: "skip"; readonly reason: string };

/** @throws RuntimeError where git or the key does not answer. */
export async function nightOf(
  scene: NightScene,
  {
    project,
    config,
    version,
  }: { readonly project: Project; readonly config: ReleaseConfig; readonly version: Version },
): Promise<Night> {
  const tested = await newestPassed(scene.builds, project);
  if (tested === undefined) return { kind: "skip", reason: `no build of ${project.branch} has passed yet` };
  const { revision } = tested;
  const last = await lastNight(scene, project);
  if (last?.plan.version === version) return { kind: "skip", reason: `${version} is published already` };
  if (last?.plan.sha === revision.sha) return { kind: "skip", reason: `nothing new since ${last.plan.version}` };
  const key = (await (await scene.openSigner(config))?.key(AbortSignal.timeout(PATIENCE_MS)))?.fingerprint;
  const place = placeOf(config, project.name, version);
  const { pointers } = place;
  const plan: ReleasePlan = {
    project: project.name,
    version,
    kind: "release",
    ref: project.branch,
    sha: revision.sha,
    title: cleanName(revision.title),
    author: cleanName(revision.author),
    pipeline: pipelineDigest(scene.config, project.name) ?? "",
    target: place.target,
    ...smokeTestOf(config),
    ...(pointers === undefined ? {} : { pointers: [...pointers] }),
    ...(key === undefined ? {} : { key }),
    ...(await since(scene, project, last, revision)),
    build: { number: tested.number, state: tested.state.kind },
    // None are waited for; the record wants a number.
    approvals: 1,
    approvers: [],
    forced: false,
  };
  const now = scene.clock.now().toISOString();
  return {
    kind: "publish",
    draft: {
      origin: "nightly",
      plan,
      digest: planDigest(plan),
      requester: requesterOf(project),
      requestedAt: now,
      votes: [],
      state: { kind: "publishing", startedAt: now, step: "check" },
    },
  };
}

type TestedBuild = Build & { readonly revision: Revision };

/** Of the branch itself, whole, with nothing changed by hand. One that was built again counts from when it was built first. */
async function newestPassed(builds: NightScene["builds"], project: Project): Promise<TestedBuild | undefined> {
  const page = await builds.history.page({ project: project.name, branch: project.branch, limit: LOOKED_THROUGH });
  const firsts = new Map(page.builds.toReversed().map(({ number, rebuildOf }) => [number, rebuildOf] as const));
  const firstOf = ({ number }: Build): number => {
    let first = number;
    for (let before = firsts.get(first); before !== undefined; before = firsts.get(first)) first = before;
    return first;
  };
  return page.builds.filter(isTested(project)).toSorted((a, b) => firstOf(b) - firstOf(a))[0];
}

function isTested({ branch }: Project) {
  return (build: Build): build is TestedBuild =>
    build.state.kind === "passed" &&
    build.revision?.kind === "branch" &&
    build.revision.ref === branch &&
    build.untrusted !== true &&
    isWhole(build) &&
    Object.keys(build.params).length === 0;
}

async function lastNight({ releases }: NightScene, { name }: Project): Promise<Release | undefined> {
  const past = await releases.latest(RELEASES_LOOKED_AT, { project: name });
  return past.find(({ origin, state }) => origin === "nightly" && state.kind === "published");
}

async function since(
  { revisions }: NightScene,
  { repo }: Project,
  last: Release | undefined,
  { sha }: Revision,
): Promise<Pick<ReleasePlan, "previous" | "commitsSince" | "commits" | "commitsCut">> {
  if (last === undefined || revisions === undefined) return { commits: [], commitsCut: false };
  const { version } = last.plan;
  const found = await revisions.between(repo, last.plan.sha, sha, AbortSignal.timeout(PATIENCE_MS));
  const commits = found
    .slice(0, COMMITS)
    .map((commit) => ({ sha: commit.sha, author: cleanName(commit.author), title: cleanName(commit.title) }));
  return { previous: version, commitsSince: version, commits, commitsCut: found.length >= COMMITS };
}

function requesterOf({ name: project }: Project): Requester {
  const room = { network: TRIGGER_NETWORK, kind: "direct", name: project } as const;
  return { name: "nightly", displayName: "nightly", network: TRIGGER_NETWORK, room };
}
