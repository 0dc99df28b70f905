/**
 * When builds that run will end, and when those that wait will begin: what the line looks like from now on. It is played out by
 * the rules that queue/line.ts gives builds to workers by.
 */
import type { ProjectName } from "../names.ts";
import type { Limit, Limits } from "../queue/line.ts";
import type { Pause } from "../queue/pauses.ts";
import { bySoonest, standingOf } from "../queue/priority.ts";
import type { Build } from "./build.ts";
import type { ExpectedTimes } from "./expected.ts";

export interface WaitingLine {
  /** In any order. */
  readonly running: readonly Build[];
  /** In any order. */
  readonly queued: readonly Build[];
  /** Of all workers that are up. */
  readonly slots: number;
  expected(build: Build): ExpectedTimes | undefined;
  readonly limits?: Limits;
  /** What holds a project's builds, if something does. */
  pauseOf?(project: ProjectName): Pause | undefined;
  /** What keeps every worker that is up from taking anything, if something does. */
  readonly held?: { readonly worker: string; readonly reason: string } | undefined;
  /** Whether a worker is up that has what the build asks for; missing: of every build. */
  fits?(build: Build): boolean;
}

/** Why a build waits although its turn may have come, where it is something else than a slot. */
export type WaitsFor =
  | { readonly kind: "paused"; readonly pause: Pause }
  /** `max` of its project run, the build of that number among them. */
  | { readonly kind: "project"; readonly number: number; readonly max: number }
  | { readonly kind: "group"; readonly number: number; readonly group: string }
  /** Every worker that is up takes nothing just now; this is one of them, and why. */
  | { readonly kind: "held"; readonly worker: string; readonly reason: string }
  /** No worker is up that has these labels. */
  | { readonly kind: "worker"; readonly labels: readonly string[] };

export interface Forecast {
  /** How many that wait begin before it; 0 for one that runs. */
  readonly before: number;
  /** Of a build that waits: how long until it begins. Undefined when nobody can tell. */
  readonly beginsInMs: number | undefined;
  readonly endsInMs: number | undefined;
  readonly waitsFor?: WaitsFor;
}

interface AtWork {
  readonly build: Build;
  readonly endsInMs: number;
}

const NO_LIMIT: Limit = { max: undefined, group: undefined };

/**
 * The line played out: each time a slot is free, the first that may begin takes it. What no earlier build tells the time of holds
 * its slot for good, so that nothing is promised that hangs on it.
 * @returns for every build, those that wait in the order in which they will begin.
 */
export function forecast(line: WaitingLine, now: Date): ReadonlyMap<number, Forecast> {
  const { running, slots, expected } = line;
  const told = new Map<number, Forecast>();
  let atWork = running.map((build): AtWork => {
    const endsInMs = leftMs(build, expected(build), now);
    told.set(build.number, { before: 0, beginsInMs: 0, endsInMs });
    return { build, endsInMs: endsInMs ?? Number.POSITIVE_INFINITY };
  });
  const waiting = byProject(line.queued);
  const reasons = new Map<number, WaitsFor>();
  let before = 0;
  for (let atMs = 0; ; ) {
    for (let next = pick(waiting, atWork, slots, line); next !== undefined; next = pick(waiting, atWork, slots, line)) {
      const endsInMs = atMs + (expected(next)?.medianMs ?? Number.POSITIVE_INFINITY);
      told.set(next.number, { before, beginsInMs: atMs, endsInMs: known(endsInMs), ...because(reasons, next) });
      atWork.push({ build: next, endsInMs });
      before += 1;
    }
    if (atMs === 0 && reasons.size === 0) {
      for (const build of [...waiting.values()].flat()) {
        const reason = waitsFor(build, atWork, line);
        if (reason !== undefined) reasons.set(build.number, reason);
      }
    }
    const nextMs = Math.min(...atWork.map(({ endsInMs }) => endsInMs));
    if (waiting.size === 0 || !Number.isFinite(nextMs)) break;
    atMs = nextMs;
    atWork = atWork.filter(({ endsInMs }) => endsInMs > nextMs);
  }
  for (const build of [...waiting.values()].flat().toSorted(bySoonest)) {
    told.set(build.number, { before, beginsInMs: undefined, endsInMs: undefined, ...because(reasons, build) });
    before += 1;
  }
  return told;
}

function because(reasons: ReadonlyMap<number, WaitsFor>, { number }: Build): Pick<Forecast, "waitsFor"> {
  const reason = reasons.get(number);
  return reason === undefined ? {} : { waitsFor: reason };
}

/** Each project's part of the line, in order. */
function byProject(queued: readonly Build[]): Map<ProjectName, Build[]> {
  const lines = new Map<ProjectName, Build[]>();
  for (const build of queued.toSorted(bySoonest)) {
    const line = lines.get(build.project);
    if (line === undefined) lines.set(build.project, [build]);
    else line.push(build);
  }
  return lines;
}

/** Takes the build out of the line that begins next; undefined when none may, or no slot is free. */
function pick(
  waiting: Map<ProjectName, Build[]>,
  atWork: readonly AtWork[],
  slots: number,
  line: WaitingLine,
): Build | undefined {
  if (atWork.length >= slots) return undefined;
  const groups = new Map<string, Candidate>();
  let best: Candidate | undefined;
  const offer = (candidate: Candidate): void => {
    const sooner =
      best === undefined ? -1 : candidate.stands - best.stands || candidate.build.number - best.build.number;
    if (sooner < 0) best = candidate;
  };
  for (const [project, builds] of waiting) {
    const { group } = limitOf(line, project);
    // A group keeps its order; past a build that no worker fits, others of its project go.
    const first = group === undefined ? builds.find((build) => waitsFor(build, atWork, line) === undefined) : builds[0];
    if (first === undefined || waitsFor(first, atWork, line) !== undefined) continue;
    if (group === undefined) {
      offer({ build: first, stands: standingOf(first) });
      continue;
    }
    // A group keeps the order of asking, and stands where the most urgent of it does.
    const oldest = builds.reduce((a, b) => (b.number < a.number ? b : a));
    const other = groups.get(group);
    groups.set(group, {
      build: other !== undefined && other.build.number < oldest.number ? other.build : oldest,
      stands: Math.min(standingOf(first), other?.stands ?? Number.POSITIVE_INFINITY),
    });
  }
  for (const candidate of groups.values()) offer(candidate);
  const taken = best?.build;
  if (taken === undefined) return undefined;
  const builds = waiting.get(taken.project) ?? [];
  builds.splice(builds.indexOf(taken), 1);
  if (builds.length === 0) waiting.delete(taken.project);
  return taken;
}

interface Candidate {
  readonly build: Build;
  /** Where it stands in the line (queue/priority.ts). */
  readonly stands: number;
}

function waitsFor(build: Build, atWork: readonly AtWork[], line: WaitingLine): WaitsFor | undefined {
  const { project, labels = [] } = build;
  const pause = line.pauseOf?.(project);
  if (pause !== undefined) return { kind: "paused", pause };
  if (line.held !== undefined) return { kind: "held", ...line.held };
  if (labels.length > 0 && line.fits?.(build) === false) return { kind: "worker", labels };
  const { max, group } = limitOf(line, project);
  if (max !== undefined) {
    const own = atWork.filter(({ build }) => build.project === project);
    const first = endsFirst(own);
    if (own.length >= max && first !== undefined) return { kind: "project", number: first, max };
  }
  if (group === undefined) return undefined;
  const first = endsFirst(atWork.filter(({ build }) => limitOf(line, build.project).group === group));
  return first === undefined ? undefined : { kind: "group", number: first, group };
}

function limitOf({ limits }: WaitingLine, project: ProjectName): Limit {
  return limits?.get(project) ?? NO_LIMIT;
}

function endsFirst(builds: readonly AtWork[]): number | undefined {
  return builds.toSorted((a, b) => a.endsInMs - b.endsInMs || a.build.number - b.build.number)[0]?.build.number;
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
