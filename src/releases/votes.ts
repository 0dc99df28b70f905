/** Whose word counts for a release, how many there are, and whether what they were given for still stands. */
import type { Config, Person } from "../config.ts";
import { pipelineDigest } from "./digest.ts";
import { isOver, type Release, releaseName, type Vote } from "./release.ts";

/** How long after the last vote a release may still begin, where that came at the end of the window. */
const BEGIN_MS = 10 * 60_000;

type ReleaseConfigs = Pick<Config, "projects" | "releases" | "people">;

/** Everybody in `people:` who may approve. */
export function approversIn({ people }: Pick<Config, "people">): Person[] {
  return people.filter(({ roles }) => roles.includes("approver"));
}

/** Votes of people who may approve still, for the plan as it is; of each person one. What is over keeps those that it had. */
export function goodVotes(release: Release, config: Pick<Config, "people" | "releases">): Vote[] {
  const { votes, digest, askedBy } = release;
  if (isOver(release)) return [...votes];
  const own = config.releases.get(release.plan.project)?.ownApproval === true;
  const names = new Set(approversIn(config).map(({ name }) => name));
  const counted = new Map<string, Vote>();
  for (const vote of votes) {
    const may = names.has(vote.by) && (own || askedBy !== `person:${vote.by}`);
    if (may && vote.digest === digest && !counted.has(vote.by)) counted.set(vote.by, vote);
  }
  return [...counted.values()];
}

/** As many as the plan says, or as the configuration says by now where that is more and it is not over. */
export function votesNeeded(release: Release, { releases }: Pick<Config, "releases">): number {
  const { plan } = release;
  if (isOver(release)) return plan.approvals;
  const now = (releases.get(plan.project)?.approvals ?? 0) + votesBesides(plan);
  return Math.max(plan.approvals, now);
}

/** One for each rule that is not kept. */
export function votesBesides({ forced, skipTests }: { forced: boolean; skipTests?: boolean | undefined }): number {
  return (forced ? 1 : 0) + (skipTests === true ? 1 : 0);
}

/** Those who could approve and have not. */
export function stillAsked(release: Release, config: Pick<Config, "people" | "releases">): string[] {
  const given = new Set(goodVotes(release, config).map(({ by }) => by));
  const names = new Set(approversIn(config).map(({ name }) => name));
  return release.plan.approvers.filter((name) => names.has(name) && !given.has(name));
}

export type Standing = { readonly good: true } | { readonly good: false; readonly refused: string };

/** Whether what is to run and where it goes is as it was when it was asked for. The reason is a phrase. */
export function planStanding({ plan }: Pick<Release, "plan">, config: ReleaseConfigs): Standing {
  const now = pipelineDigest(config, plan.project);
  if (now === undefined) return { good: false, refused: `${plan.project} is no longer configured to be released` };
  if (now === plan.pipeline) return { good: true };
  return { good: false, refused: `the configuration of ${plan.project} was changed since it was asked for` };
}

/**
 * Whether a release that has its votes may be published: asked again before anything is. The window is looked at only while
 * nothing has begun (step `check`), as a build may take longer than that. A release of the night needs no votes.
 */
export function stillGood(release: Release, config: ReleaseConfigs, now: Date): Standing {
  if (release.origin === "nightly") return { good: true };
  const plan = planStanding(release, config);
  if (!plan.good) return plan;
  const { votes } = release;
  const good = goodVotes(release, config);
  const needed = votesNeeded(release, config);
  if (good.length < needed) {
    const gone = votes.filter((vote) => !good.includes(vote)).map(({ by }) => by);
    const why = gone.length === 0 ? "" : `: the vote of ${listed(gone)} counts no more`;
    return { good: false, refused: `it has ${good.length} of ${needed} approvals${why}` };
  }
  const window = config.releases.get(release.plan.project)?.expiresMs ?? 0;
  const { state } = release;
  if (state.kind !== "publishing" || state.step !== "check") return { good: true };
  const ends = Math.max(Date.parse(release.requestedAt) + window, Date.parse(state.startedAt) + BEGIN_MS);
  if (now.getTime() <= ends) return { good: true };
  return { good: false, refused: `the approvals of ${releaseName(release)} are too old by now` };
}

/** `a`, `a and b`, `a, b and c` */
export function listed(names: readonly string[]): string {
  const [last = "", ...rest] = names.toReversed();
  return rest.length === 0 ? last : `${rest.toReversed().join(", ")} and ${last}`;
}
