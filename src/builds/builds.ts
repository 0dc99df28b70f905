/** What can be done with builds: asked for, repeated, cancelled, looked up. The one door to the records for commands and jobs. */

import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { z } from "zod";
import { quoted } from "../chat/quoted.ts";
import type { Clock } from "../clock.ts";
import type { Config, Project } from "../config.ts";
import { UserError } from "../errors.ts";
import { BuildNumber, type GitRef, ProjectName, type StepName, TRIGGER_NETWORK, WEB_NETWORK } from "../names.ts";
import { nearest } from "../nearest.ts";
import type { BuildEvent } from "../pipeline/build-event.ts";
import type { BuildQueue } from "../queue/build-queue.ts";
import { createDrains } from "../queue/drains.ts";
import type { OutboxEntry } from "../queue/outbox-entry.ts";
import { createPauses, type Pause, pauseOf } from "../queue/pauses.ts";
import { isTaking, missingLabels, slotsOf, type WorkerStatus } from "../queue/worker-status.ts";
import { cleanName } from "../results/clean-name.ts";
import { type Revision, type Revisions, UnknownRefError } from "../revisions.ts";
import { formatAge } from "../units.ts";
import { type Build, type FinalState, isFinished, type Requester } from "./build.ts";
import { resultReply } from "./describe.ts";
import { branchOf, type ExpectedTimes, expectedTimes, LOOKED_THROUGH } from "./expected.ts";
import { type Forecast, forecast } from "./forecast.ts";
import { eventOf, isOfPullRequest, lookUp, unknownRef } from "./pull-request.ts";
import type { BuildStore } from "./store.ts";

const CANCEL_CHANNEL = "docker-ci:cancel";
/** How long a person waits for git before they are told that the repository does not answer. */
const RESOLVE_TIMEOUT_MS = 30_000;

/** Told to the worker that runs a build; kept in the record's hash as well, for one that begins later. */
export const CancelRequest = z.strictObject({ number: BuildNumber, by: z.string(), reason: z.string().optional() });
export type CancelRequest = z.infer<typeof CancelRequest>;

export interface BuildRequest {
  readonly project: ProjectName;
  readonly ref: GitRef;
  readonly requester: Requester;
  readonly params?: Readonly<Record<string, string>>;
  /** Why, in the words of who asks. */
  readonly reason?: string | undefined;
  /** Keeps what a step that fails leaves in its container; see `Build`. */
  readonly keepMs?: number | undefined;
  /** See `Build`. */
  readonly skipTests?: true;
  /** Missing: a person asked. */
  readonly event?: BuildEvent;
  /** Where it is known already what `ref` means; git is not asked then. */
  readonly revision?: Revision | undefined;
  /** It may hold what an outsider wrote. Missing: so may any pull request, as git does not know its author. */
  readonly untrusted?: boolean;
  /** Names the request: within a day, those of one name get one build. */
  readonly asked?: string | undefined;
}

/** What happened to a cancel: done at once, passed on to the worker, or too late. */
export type CancelOutcome =
  | { readonly kind: "cancelled"; readonly build: Build }
  | { readonly kind: "stopping"; readonly build: Build }
  | { readonly kind: "over"; readonly build: Build };

/** The line as it is now. */
export interface Outlook {
  readonly running: readonly Build[];
  /** In the order in which they will begin; last those of which nobody can tell when. */
  readonly queued: readonly Build[];
  /** What is held, the longest first. */
  readonly pauses: readonly Pause[];
  expected(build: Build): ExpectedTimes | undefined;
  /** Undefined for a build that neither runs nor waits. */
  forecast(build: Build): Forecast | undefined;
}

export interface BuildsDeps {
  readonly config: Config;
  readonly store: BuildStore;
  readonly queue: BuildQueue;
  /** Missing in a process that has no engine: the worker looks the revision up then. */
  readonly revisions: Revisions | undefined;
  readonly redis: Redis;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called once for every build that was accepted by this process. */
  onAccepted?(build: Build): void;
}

export type Builds = ReturnType<typeof createBuilds>;

export function createBuilds(deps: BuildsDeps) {
  const { config, store, queue, revisions, redis, clock, log } = deps;
  const pauses = createPauses(redis, clock, () => queue.wake());
  const drains = createDrains(redis, clock, () => queue.wake());
  /** @throws UserError with the nearest names. */
  function projectNamed(name: string): Project {
    const parsed = ProjectName.safeParse(name);
    const project = parsed.success ? config.projects.get(parsed.data) : undefined;
    if (project !== undefined) return project;
    const known = [...config.projects.keys()];
    const near = nearest(name, known, 1)[0];
    const guess = near === undefined ? "" : ` Did you mean ${near}?`;
    throw new UserError(
      `no project ${quoted(name)}.${guess} ${known.length === 0 ? "None is configured." : `There are ${listed(known)}.`}`,
    );
  }

  async function accept(
    draft: Omit<Build, "number" | "state" | "attempt" | "steps" | "requestedAt">,
    asked?: string,
  ): Promise<Build> {
    const { labels } = projectNamed(draft.project);
    const wanted = labels.length === 0 ? {} : { labels: [...labels] };
    const build = await store.create({ ...draft, ...wanted, requestedAt: clock.now().toISOString() }, asked);
    log.info({ build: build.number, project: build.project, by: build.requester.name }, "build accepted");
    deps.onAccepted?.(build);
    await queue.add(build);
    return build;
  }

  async function get(number: BuildNumber): Promise<Build> {
    const build = await store.get(number);
    if (build !== undefined) return build;
    const [newest] = await store.latest(1);
    const hint = newest === undefined ? "There are none yet." : `The newest is #${newest.number}.`;
    throw new UserError(`there is no build #${number}. ${hint}`);
  }

  return {
    get,

    /** The project of that name. @throws UserError with the nearest names. */
    project: projectNamed,

    /**
     * Records a build and wakes a worker.
     * @throws UserError for a ref that the repository does not have, RuntimeError for a repository that cannot be reached.
     */
    async request({
      project: name,
      ref,
      requester,
      params = {},
      reason,
      keepMs,
      asked,
      ...given
    }: BuildRequest): Promise<Build> {
      const project = projectNamed(name);
      const lookUp = async () =>
        revisions === undefined ? undefined : await resolve(revisions, project, ref, config.url);
      const revision = given.revision ?? (await lookUp());
      const known = {
        ...(revision === undefined ? {} : { revision }),
        ...outsideOf({ ref, revision, event: given.event }, given.untrusted),
        ...(reason === undefined ? {} : { reason: cleanName(reason) }),
        ...keeping(project, keepMs),
        ...(given.skipTests === undefined ? {} : { skipTests: given.skipTests }),
      };
      return accept({ project: name, ref, requester, params, ...known }, asked);
    },

    /** The same revision and parameters again; with `onlyFailed` only the run steps that did not pass. */
    async rebuild(
      number: BuildNumber,
      requester: Requester,
      onlyFailed: boolean,
      asked?: string,
      keepMs?: number,
    ): Promise<Build> {
      const before = await get(number);
      const project = projectNamed(before.project);
      if (onlyFailed && !isFinished(before)) throw new UserError(`#${number} is not over yet.`);
      const onlySteps = onlyFailed ? failedRunSteps(before) : undefined;
      return accept(
        {
          project: before.project,
          ref: before.ref,
          requester,
          params: before.params,
          rebuildOf: number,
          ...(before.revision === undefined ? {} : { revision: before.revision }),
          ...(isOfPullRequest(before) ? { event: eventOf(before) } : {}),
          ...(before.untrusted === true ? { untrusted: true } : {}),
          ...(onlySteps === undefined ? {} : { onlySteps }),
          ...keeping(project, keepMs),
        },
        asked,
      );
    },

    /**
     * Cancels a queued build here and now; a running one within seconds, by its worker.
     * @param which with `queued`, one that has begun is left alone: it is too late for it.
     */
    async cancel(
      number: BuildNumber,
      by: string,
      reason: string | undefined,
      which: "any" | "queued" = "any",
    ): Promise<CancelOutcome> {
      for (;;) {
        const build = await get(number);
        if (isFinished(build) || (which === "queued" && build.state.kind === "running")) return { kind: "over", build };
        const request: CancelRequest = { number, by, ...(reason === undefined ? {} : { reason }) };
        if (build.state.kind === "running") {
          await redis.set(`docker-ci:cancel:${number}`, JSON.stringify(request), "EX", 86_400);
          await redis.publish(CANCEL_CHANNEL, JSON.stringify(request));
          return { kind: "stopping", build };
        }
        const state: FinalState = {
          kind: "cancelled",
          finishedAt: clock.now().toISOString(),
          by,
          ...(reason === undefined ? {} : { reason }),
        };
        const cancelled = await store.transition(
          build,
          state,
          {},
          announcements({ ...build, state }, config.url, clock),
        );
        if (cancelled === undefined) continue;
        await queue.remove(build);
        return { kind: "cancelled", build: cancelled };
      }
    },

    /** The cancel that somebody asked for while the build ran, if one did. */
    async cancelRequest(number: BuildNumber): Promise<CancelRequest | undefined> {
      const json = await redis.get(`docker-ci:cancel:${number}`);
      return json === null ? undefined : CancelRequest.parse(JSON.parse(json));
    },
    cancelChannel: CANCEL_CHANNEL,

    /** What is held. */
    pauses,
    /** Workers that take no more. */
    drains,
    running: () => store.inState("running"),
    queued: () => store.inState("queued"),
    latest: (limit: number, project?: ProjectName) => store.latest(limit, project),
    /** Pages of the past, and the names that it can be looked through by. */
    history: store.history,
    /** What the build was to run; undefined when it did not come so far, or is older than the plans. */
    plan: (number: BuildNumber) => store.plan(number),

    /** How long a build like this one takes; undefined when none of its project has passed yet. */
    async expected(build: Pick<Build, "project" | "ref" | "revision">): Promise<ExpectedTimes | undefined> {
      return expectedTimes(await store.latest(LOOKED_THROUGH, build.project), branchOf(build));
    },

    /** What runs, what waits behind it in order, and what that comes to with these workers. */
    async outlook(workers: readonly WorkerStatus[]): Promise<Outlook> {
      const [running, waiting, held] = await Promise.all([
        store.inState("running"),
        store.inState("queued"),
        pauses.all(),
      ]);
      const projects = [...new Set([...running, ...waiting].map(({ project }) => project))];
      const histories = await Promise.all(
        projects.map(async (project) => [project, await store.latest(LOOKED_THROUGH, project)] as const),
      );
      const past = new Map(histories);
      const expected = (build: Build) => expectedTimes(past.get(build.project) ?? [], branchOf(build));
      const slots = slotsOf(workers);
      const up = workers.filter(isTaking);
      const fits = ({ labels = [] }: Build) => up.some((worker) => missingLabels(labels, worker.labels).length === 0);
      const line = { running, queued: waiting, slots, expected, limits: config.projects, fits, held: heldOf(workers) };
      const told = forecast({ ...line, pauseOf: (project) => pauseOf(held, project) }, clock.now());
      const place = ({ number }: Build): number => told.get(number)?.before ?? 0;
      const queued = waiting.toSorted((a, b) => place(a) - place(b));
      return { running, queued, pauses: held, expected, forecast: (build) => told.get(build.number) };
    },
  };
}

/** One of the workers that take nothing, where none takes anything. */
function heldOf(workers: readonly WorkerStatus[]): { readonly worker: string; readonly reason: string } | undefined {
  const [first] = workers;
  if (first === undefined || workers.some(isTaking)) return undefined;
  return { worker: first.name, reason: first.refused ?? "it drains" };
}

/** What set it off, and whether it may hold what an outsider wrote. */
function outsideOf(
  asked: { readonly ref: GitRef; readonly revision: Revision | undefined; readonly event: BuildEvent | undefined },
  untrusted = isOfPullRequest(asked),
): Pick<Build, "event" | "untrusted"> {
  const event = isOfPullRequest(asked) ? eventOf(asked) : asked.event;
  return { ...(event === undefined ? {} : { event }), ...(untrusted ? { untrusted } : {}) };
}

async function resolve(revisions: Revisions, project: Project, ref: GitRef, url: string): Promise<Revision> {
  try {
    return await lookUp(revisions, project, ref, AbortSignal.timeout(RESOLVE_TIMEOUT_MS));
  } catch (error) {
    if (!(error instanceof UnknownRefError)) throw error;
    throw new UserError(unknownRef(project, error, url), { cause: error });
  }
}

/** @throws UserError for longer than the project allows. */
function keeping({ name, limits }: Project, keepMs: number | undefined): Pick<Build, "keepMs"> {
  if (keepMs === undefined) return {};
  if (keepMs <= limits.keepMs) return { keepMs };
  throw new UserError(`what a step of ${name} leaves is kept for at most ${formatAge(limits.keepMs)} (limits.keep).`);
}

function failedRunSteps(build: Build): StepName[] {
  const steps = build.steps.filter((step) => step.kind === "run" && step.state !== "passed").map((step) => step.name);
  if (steps.length > 0) return steps;
  throw new UserError(`#${build.number} has no step that failed; !rebuild ${build.number} runs all of it.`);
}

/** What a build's end is said with, and where: so far in the room that asked. */
export function announcements(build: Build, url: string, clock: Clock): OutboxEntry[] {
  // Whoever asked on the page looks there, and where nobody asked nobody waits for an answer.
  const { network } = build.requester;
  if (!isFinished(build) || network === WEB_NETWORK || network === TRIGGER_NETWORK) return [];
  return [
    {
      id: `build-${build.number}-${build.state.kind}`,
      at: clock.now().toISOString(),
      outgoing: {
        room: build.requester.room,
        reply: resultReply(build, url),
        to: build.requester.displayName,
        priority: "answer",
        ...(build.requester.thread === undefined ? {} : { thread: build.requester.thread }),
        ...(build.requester.account === undefined ? {} : { toAccount: build.requester.account }),
      },
    },
  ];
}

/** `a, b, c`, and past ten the number of the others. */
function listed(names: readonly string[]): string {
  return names.length <= 10 ? names.join(", ") : `${names.slice(0, 10).join(", ")} and ${names.length - 10} more`;
}
