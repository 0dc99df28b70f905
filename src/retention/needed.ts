/** Builds that something else still points at. */
import type { Incident } from "../incidents/incident.ts";
import type { Release } from "../releases/release.ts";
import type { ReleaseStore } from "../releases/store.ts";

/** Who else may need builds; each gives what it has now. */
export interface Needs {
  incidents(): Promise<readonly Incident[]>;
  /** Every release, however old: what was published can be told of for ever. */
  releases(): Promise<readonly Release[]>;
}

/** All there are; there is one for every time that somebody asked for a version. */
export function everyRelease(store: Pick<ReleaseStore, "latest">): Promise<readonly Release[]> {
  return store.latest(Number.MAX_SAFE_INTEGER);
}

export async function neededBuilds(needs: Needs): Promise<ReadonlySet<number>> {
  const [incidents, releases] = await Promise.all([needs.incidents(), needs.releases()]);
  const numbers = [
    ...incidents.flatMap(({ firstBad, lastGood }) => [firstBad.number, lastGood?.number]),
    ...releases.flatMap(({ plan, state }) => [plan.build?.number, "build" in state ? state.build : undefined]),
  ];
  return new Set(numbers.filter((number) => number !== undefined));
}
