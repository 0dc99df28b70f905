/** A release as the API gives it. */
import { type Release, releaseName } from "../../releases/release.ts";
import { goodVotes, votesNeeded } from "../../releases/votes.ts";
import { releaseUrl, type WordsConfig } from "../../releases/words.ts";
import type { ApiRelease } from "./schemas.ts";

export function releaseJson(release: Release, config: WordsConfig): ApiRelease {
  const { number, origin, plan, state, requester, requestedAt } = release;
  const { pipeline: _pipeline, approvals: _approvals, approvers, warnings, kind: what, build, ...planned } = plan;
  const good = goodVotes(release, config);
  const { kind, ...about } = state;
  return {
    number,
    name: releaseName(release),
    url: releaseUrl(config.url, release),
    origin,
    ...planned,
    kind: what,
    state: kind,
    ...about,
    ...(build === undefined ? {} : { newestBuild: build }),
    requestedAt,
    requestedBy: { name: requester.name, network: requester.network },
    approvals: {
      needed: origin === "nightly" ? 0 : votesNeeded(release, config),
      given: good.map(({ by, network, at }) => ({ by, network, at })),
      mayApprove: approvers,
    },
    warnings: [...(warnings ?? []), ...("warnings" in state ? state.warnings : [])],
  };
}
