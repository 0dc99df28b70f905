/**
 * The build records in Redis, which are the truth: the queue only wakes workers.
 *
 * Every change is a compare-and-set on (state, attempt), done by one script together with the indexes and with the outbox
 * entries that announce it. So a stalled or doubled job can neither run a build twice nor overwrite its end, and a build that
 * ended has been put up for announcing, whenever the process dies.
 */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { RuntimeError } from "../errors.ts";
import { BuildNumber, type ProjectName } from "../names.ts";
import { RecordedPlan } from "../pipeline/plan-record.ts";
import type { OutboxEntry } from "../queue/outbox-entry.ts";
import { OUTBOX_ROOMS } from "../queue/outbox-entry.ts";
import { pushArguments, pushLua } from "../queue/push.ts";
import { Build, type BuildState, type FinishedBuild, isFinished } from "./build.ts";

const NEXT = "docker-ci:builds:next";
const ALL = "docker-ci:builds";
const DAY_S = 86_400;
const EVENTS = "docker-ci:events";
/** Numbers of builds that ended and whose news has not been made of it yet, in the order in which they ended. */
export const FINISHED = "docker-ci:builds:finished";
const record = (number: number): string => `docker-ci:build:${number}`;
const ofProject = (project: string): string => `docker-ci:builds:project:${project}`;
const inState = (kind: string): string => `docker-ci:builds:state:${kind}`;

/**
 * KEYS: record, all, of project, index of the old state, index of the new state, rooms with an outbox, ended builds.
 * ARGV: expected state ("" for none yet), expected attempt, new state, new attempt, number, json, event, event channel,
 * `pushArguments`.
 * Returns 1, or 0 when the record is not in the expected state and attempt.
 */
const TRANSITION = `
local state = redis.call('HGET', KEYS[1], 'state') or ''
local attempt = redis.call('HGET', KEYS[1], 'attempt') or '0'
if state ~= ARGV[1] or attempt ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'state', ARGV[3], 'attempt', ARGV[4], 'json', ARGV[6])
if ARGV[1] == '' then
  redis.call('ZADD', KEYS[2], ARGV[5], ARGV[5])
  redis.call('ZADD', KEYS[3], ARGV[5], ARGV[5])
end
if ARGV[1] ~= '' then redis.call('ZREM', KEYS[4], ARGV[5]) end
if ARGV[3] == 'queued' or ARGV[3] == 'running' then
  redis.call('ZADD', KEYS[5], ARGV[5], ARGV[5])
else
  redis.call('RPUSH', KEYS[7], ARGV[5])
end
${pushLua({ rooms: 6, first: 9 })}redis.call('PUBLISH', ARGV[8], ARGV[7])
return 1
`;

/** A field of its own, so that no change of state writes it again. ARGV: json. Nothing of a build that has no record. */
const SET_PLAN = `if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'plan', ARGV[1]) end`;

/** A change of one build, told to whoever listens in any process. Nothing may depend on hearing it. */
export interface BuildEvent {
  readonly build: Build;
}

/** What changes in a record besides its state. */
export type BuildChanges = Partial<Pick<Build, "attempt" | "steps" | "revision" | "results">>;

export type BuildStore = ReturnType<typeof createBuildStore>;

/**
 * @param redis a connection for commands; it is not closed here. Its errors are passed on as they are (`isRedisAway` knows them).
 * @param log told of a record that cannot be read, as after a downgrade; it is left out, so that it hides no other.
 */
export function createBuildStore(redis: Redis, log?: Logger) {
  /** Writes `next` if the record is still as `before` says; true when it was written. */
  async function write(
    before: { state: string; attempt: number },
    next: Build,
    announce: readonly OutboxEntry[],
  ): Promise<boolean> {
    const json = JSON.stringify(Build.parse(next));
    const keys = [
      record(next.number),
      ALL,
      ofProject(next.project),
      inState(before.state),
      inState(next.state.kind),
      OUTBOX_ROOMS,
      FINISHED,
    ];
    const event = JSON.stringify({ build: next } satisfies BuildEvent);
    const args = [
      before.state,
      String(before.attempt),
      next.state.kind,
      String(next.attempt),
      String(next.number),
      json,
      event,
      EVENTS,
      ...pushArguments(announce),
    ];
    return (await redis.eval(TRANSITION, keys.length, ...keys, ...args)) === 1;
  }

  async function read(numbers: readonly string[]): Promise<Build[]> {
    if (numbers.length === 0) return [];
    const pipeline = redis.pipeline();
    for (const number of numbers) pipeline.hget(record(Number(number)), "json");
    const replies = (await pipeline.exec()) ?? [];
    return replies.flatMap(([error, json]) => {
      if (error !== null) throw new RuntimeError("Redis could not read the build records", { cause: error });
      if (typeof json !== "string") return [];
      const build = Build.safeParse(JSON.parse(json));
      if (build.success) return [build.data];
      log?.error({ err: build.error, json: json.slice(0, 300) }, "a build record that cannot be read");
      return [];
    });
  }

  const next = async (): Promise<BuildNumber> => BuildNumber.parse(await redis.incr(NEXT));

  async function reserved(asked: string): Promise<BuildNumber> {
    const key = `docker-ci:builds:asked:${asked}`;
    const before = await redis.get(key);
    if (before !== null) return BuildNumber.parse(Number(before));
    const number = await next();
    await redis.set(key, number, "EX", DAY_S);
    return number;
  }

  return {
    /** The channel on which a `BuildEvent` is published as JSON at every change. */
    eventChannel: EVENTS,

    /**
     * Takes the next number and writes the record in state `queued`.
     * @param asked names the request. Its number is reserved first, so that one which was killed anywhere in here and is made
     * again within a day gets the same build.
     */
    async create(build: Omit<Build, "number" | "state" | "attempt" | "steps">, asked?: string): Promise<Build> {
      const number = asked === undefined ? await next() : await reserved(asked);
      const created: Build = { ...build, number, attempt: 0, state: { kind: "queued" }, steps: [] };
      if (!(await write({ state: "", attempt: 0 }, created, []))) {
        const before = asked === undefined ? undefined : await this.get(number);
        if (before !== undefined) return before;
        throw new RuntimeError(`build #${number} exists already; was ${NEXT} reset?`);
      }
      return created;
    },

    /**
     * Changes `before` to have `state` (and, optionally, other fields), and puts the announcements up in the same step.
     * @returns the new record, or undefined when somebody else was quicker.
     */
    async transition(
      before: Build,
      state: BuildState,
      changes: BuildChanges = {},
      announce: readonly OutboxEntry[] = [],
    ): Promise<Build | undefined> {
      const next: Build = { ...before, ...changes, state };
      const written = await write({ state: before.state.kind, attempt: before.attempt }, next, announce);
      return written ? next : undefined;
    },

    async get(number: BuildNumber): Promise<Build | undefined> {
      const [build] = await read([String(number)]);
      return build;
    },

    /** What the build was to run, from when its pipeline is known; setting it again replaces it. */
    async setPlan(number: BuildNumber, plan: RecordedPlan): Promise<void> {
      await redis.eval(SET_PLAN, 1, record(number), JSON.stringify(RecordedPlan.parse(plan)));
    },

    /** `undefined` for a build that did not come so far, or is older than the plans. */
    async plan(number: BuildNumber): Promise<RecordedPlan | undefined> {
      const json = await redis.hget(record(number), "plan");
      if (json === null) return undefined;
      const plan = RecordedPlan.safeParse(JSON.parse(json));
      if (plan.success) return plan.data;
      log?.error({ err: plan.error, build: number }, "the plan of a build that cannot be read");
      return undefined;
    },

    /** Builds in that state, oldest first. */
    async inState(kind: "queued" | "running"): Promise<Build[]> {
      return read(await redis.zrange(inState(kind), "0", "-1"));
    },

    /** The newest builds first, of one project or of all. */
    async latest(limit: number, project?: ProjectName): Promise<Build[]> {
      return read(await redis.zrange(project === undefined ? ALL : ofProject(project), 0, String(limit - 1), "REV"));
    },

    /** The newest finished build of a project. */
    async lastFinished(project: ProjectName): Promise<FinishedBuild | undefined> {
      return (await this.latest(20, project)).find(isFinished);
    },
  };
}
