/** Builds by what somebody looks for, newest first, a page at a time. */
import type { Build, BuildState } from "../../builds/build.ts";
import type { Builds } from "../../builds/builds.ts";
import { branchOf } from "../../builds/expected.ts";
import type { BuildNumber, ProjectName } from "../../names.ts";

export interface BuildsQuery {
  readonly project?: ProjectName | undefined;
  readonly branch?: string | undefined;
  readonly person?: string | undefined;
  readonly state?: BuildState["kind"] | undefined;
  readonly before?: BuildNumber | undefined;
  readonly limit: number;
}

const PAGE = 200;
/** No request looks through more; the rest is behind `next`, with a page that may be empty. */
const LOOKED_THROUGH = 1_000;

export async function listBuilds(
  builds: Pick<Builds, "history" | "running" | "queued">,
  query: BuildsQuery,
): Promise<{ readonly builds: readonly Build[]; readonly next: BuildNumber | null }> {
  const { state, limit, ...filter } = query;
  if (state === undefined) {
    const page = await builds.history.page({ ...filter, limit });
    return { builds: page.builds, next: page.older ?? null };
  }
  if (state === "queued" || state === "running") return now(await builds[state](), query);
  const onlyFailures = state === "failed" || state === "errored";
  const found: Build[] = [];
  let { before } = filter;
  for (let looked = 0; looked < LOOKED_THROUGH; looked += PAGE) {
    const page = await builds.history.page({ ...filter, before, onlyFailures, limit: PAGE });
    for (const build of page.builds) {
      if (build.state.kind !== state) continue;
      found.push(build);
      if (found.length === limit) {
        const isLast = page.older === undefined && build === page.builds.at(-1);
        return { builds: found, next: isLast ? null : build.number };
      }
    }
    if (page.older === undefined) return { builds: found, next: null };
    before = page.older;
  }
  return { builds: found, next: before ?? null };
}

/** Those under way are few: all of them are at hand. */
function now(all: readonly Build[], { project, branch, person, before, limit }: BuildsQuery) {
  const wanted = person?.toLowerCase();
  const names = ({ requester, revision }: Build) =>
    [requester.name, revision?.author].map((name) => name?.toLowerCase());
  const found = all
    .filter((build) => project === undefined || build.project === project)
    .filter((build) => branch === undefined || branchOf(build) === branch)
    .filter((build) => wanted === undefined || names(build).includes(wanted))
    .filter(({ number }) => before === undefined || number < before)
    .toSorted((a, b) => b.number - a.number);
  const builds = found.slice(0, limit);
  return { builds, next: found.length > limit ? (builds.at(-1)?.number ?? null) : null };
}
