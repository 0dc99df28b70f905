/** When builds that run will end, and when those that wait will begin: what the line looks like from now on. */
import type { Build } from "./build.ts";
import type { ExpectedTimes } from "./expected.ts";

export interface WaitingLine {
  /** In any order. */
  readonly running: readonly Build[];
  /** In the order in which they will begin. */
  readonly queued: readonly Build[];
  /** Of all workers that are up. */
  readonly slots: number;
  expected(build: Build): ExpectedTimes | undefined;
}

export interface Forecast {
  /** How many wait before it; 0 for one that runs. */
  readonly before: number;
  /** Of a build that waits: how long until it begins. Undefined when nobody can tell. */
  readonly beginsInMs: number | undefined;
  readonly endsInMs: number | undefined;
}

/**
 * The line played out: each build that waits takes the slot that is free first. What no earlier build tells the time of holds
 * its slot for good, so that nothing is promised that hangs on it.
 */
export function forecast({ running, queued, slots, expected }: WaitingLine, now: Date): ReadonlyMap<number, Forecast> {
  const told = new Map<number, Forecast>();
  const free: number[] = [];
  for (const build of running) {
    const endsInMs = leftMs(build, expected(build), now);
    told.set(build.number, { before: 0, beginsInMs: 0, endsInMs });
    free.push(endsInMs ?? Number.POSITIVE_INFINITY);
  }
  while (free.length < slots) free.push(0);
  // A worker may have gone away under builds that are still written down as running.
  const first = free.toSorted((a, b) => a - b).slice(Math.max(0, free.length - slots));
  for (const [before, build] of queued.entries()) {
    const beginsInMs = first.shift() ?? Number.POSITIVE_INFINITY;
    const endsInMs = beginsInMs + (expected(build)?.medianMs ?? Number.POSITIVE_INFINITY);
    told.set(build.number, { before, beginsInMs: known(beginsInMs), endsInMs: known(endsInMs) });
    if (slots > 0) first.push(endsInMs);
    first.sort((a, b) => a - b);
  }
  return told;
}

/** What is left of it by the median; once that is over, by the 90th percentile, and then nothing. */
function leftMs({ state }: Build, expected: ExpectedTimes | undefined, now: Date): number | undefined {
  if (state.kind !== "running" || expected === undefined) return undefined;
  const elapsedMs = now.getTime() - Date.parse(state.startedAt);
  const endMs = elapsedMs <= expected.medianMs ? expected.medianMs : expected.p90Ms;
  return Math.max(0, endMs - elapsedMs);
}

function known(ms: number): number | undefined {
  return Number.isFinite(ms) ? ms : undefined;
}
