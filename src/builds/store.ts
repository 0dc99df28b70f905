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
import { ALL, createHistory, indexChange, indexLua, indexPlaces } from "./history.ts";
import { RecentBuilds } from "./recent-builds.ts";

/** The newest number that was given. */
export const NEXT = "docker-ci:builds:next";
const DAY_S = 86_400;
const NUMBERS_AT_ONCE = 200;
const EVENTS = "docker-ci:events";
/** Numbers of builds that ended and whose news has not been made of it yet, in the order in which they ended. */
export const FINISHED = "docker-ci:builds:finished";
const record = (number: number): string => `docker-ci:build:${number}`;
const inState = (kind: string): string => `docker-ci:builds:state:${kind}`;

/**
 * KEYS: record, index of the old state, index of the new state, rooms with an outbox, ended builds.
 * ARGV: expected state ("" for none yet), expected attempt, new state, new attempt, number, json, event, event channel,
 * `IndexChange` of the history as JSON, `pushArguments`.
 * Returns 1, or 0 when the record is not in the expected state and attempt.
 */
const TRANSITION = `
local state = redis.call('HGET', KEYS[1], 'state') or ''
local attempt = redis.call('HGET', KEYS[1], 'attempt') or '0'
if state ~= ARGV[1] or attempt ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'state', ARGV[3], 'attempt', ARGV[4], 'json', ARGV[6])
if ARGV[1] ~= '' then redis.call('ZREM', KEYS[2], ARGV[5]) end
if ARGV[3] == 'queued' or ARGV[3] == 'running' then
  redis.call('ZADD', KEYS[3], ARGV[5], ARGV[5])
else
  redis.call('RPUSH', KEYS[5], ARGV[5])
end
${indexLua("ARGV[9]", "ARGV[5]")}${pushLua({ rooms: 4, first: 10 })}redis.call('PUBLISH', ARGV[8], ARGV[7])
return 1
`;

/**
 * KEYS: record, ended builds. ARGV: number, keys of the history that it stands in as JSON, keys of the names that have it as their
 * newest as JSON. Nothing is done of a build that is not over, or whose end nobody has told yet. Returns whether it was removed.
 */
const REMOVE = `
local state = redis.call('HGET', KEYS[1], 'state')
if not state or state == 'queued' or state == 'running' then return 0 end
if redis.call('LPOS', KEYS[2], ARGV[1]) then return 0 end
redis.call('DEL', KEYS[1])
for _, key in ipairs(cjson.decode(ARGV[2])) do redis.call('ZREM', key, ARGV[1]) end
for _, key in ipairs(cjson.decode(ARGV[3])) do redis.call('ZREMRANGEBYSCORE', key, ARGV[1], ARGV[1]) end
return 1
`;

/** A field of its own, so that no change of state writes it again. ARGV: json. Nothing of a build that has no record. */
const SET_PLAN = `if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'plan', ARGV[1]) end`;

/** A change of one build, told to whoever listens in any process. Nothing may depend on hearing it. */
export interface BuildEvent {
  readonly build: Build;
}

/** What changes in a record besides its state. */
export type BuildChanges = Partial<Pick<Build, "attempt" | "steps" | "revision" | "results" | "labels" | "ranOn">>;

/** `before` is undefined for a build that is new. */
export type AlsoSaid = (next: Build, before: Build | undefined) => readonly OutboxEntry[];

export type BuildStore = ReturnType<typeof createBuildStore>;

/**
 * @param redis a connection for commands; it is not closed here. Its errors are passed on as they are (`isRedisAway` knows them).
 * @param log told of a record that cannot be read, as after a downgrade; it is left out, so that it hides no other.
 * @param alsoSaid gives what else is put up for delivery with a change, whoever makes it.
 */
export function createBuildStore(redis: Redis, log?: Logger, alsoSaid: AlsoSaid = () => []) {
  const recent = new RecentBuilds();
  /** Writes `next` if the record is still as `before` says; true when it was written. */
  async function write(
    before: { state: string; attempt: number; build?: Build },
    next: Build,
    announce: readonly OutboxEntry[],
  ): Promise<boolean> {
    const checked = Build.parse(next);
    const json = JSON.stringify(checked);
    const keys = [record(next.number), inState(before.state), inState(next.state.kind), OUTBOX_ROOMS, FINISHED];
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
      JSON.stringify(indexChange(checked, before.build)),
      ...pushArguments([...announce, ...alsoSaid(checked, before.build)]),
    ];
    const written = (await redis.eval(TRANSITION, keys.length, ...keys, ...args)) === 1;
    if (written) recent.add(checked, json);
    return written;
  }

  /** Those that are over and were read before cost nothing; the others are one round trip. */
  async function read(numbers: readonly string[]): Promise<Build[]> {
    const known = new Map(numbers.map((number) => [number, recent.finished(Number(number))] as const));
    const wanted = numbers.filter((number) => known.get(number) === undefined);
    if (wanted.length > 0) {
      const pipeline = redis.pipeline();
      for (const number of wanted) pipeline.hget(record(Number(number)), "json");
      const replies = (await pipeline.exec()) ?? [];
      for (const [at, [error, json]] of replies.entries()) {
        if (error !== null) throw new RuntimeError("Redis could not read the build records", { cause: error });
        const number = wanted[at] ?? "";
        if (typeof json === "string") known.set(number, recent.unchanged(Number(number), json) ?? parsed(json));
      }
    }
    return numbers.flatMap((number) => known.get(number) ?? []);
  }

  function parsed(json: string): Build | undefined {
    const build = Build.safeParse(JSON.parse(json));
    if (!build.success) {
      log?.error({ err: build.error, json: json.slice(0, 300) }, "a build record that cannot be read");
      return undefined;
    }
    recent.add(build.data, json);
    return build.data;
  }

  const next = async (): Promise<BuildNumber> => BuildNumber.parse(await redis.incr(NEXT));

  async function reserved(asked: string): Promise<BuildNumber> {
    const key = `docker-ci:builds:asked:${asked}`;
    const before = await redis.get(key);
    if (before !== null) return BuildNumber.parse(Number(before));
    const number = await next();
    // Of two processes that are asked the same, the quicker one's number counts.
    if ((await redis.set(key, number, "EX", DAY_S, "NX")) !== null) return number;
    return BuildNumber.parse(Number(await redis.get(key)));
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
      const written = await write({ state: before.state.kind, attempt: before.attempt, build: before }, next, announce);
      return written ? next : undefined;
    },

    async get(number: BuildNumber): Promise<Build | undefined> {
      const [build] = await read([String(number)]);
      return build;
    },

    /** The builds of these numbers, in that order, without those that are not there. */
    many: (numbers: readonly string[]): Promise<Build[]> => read(numbers),

    /** The past by project, branch, person and failure. */
    history: createHistory(redis, read),

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

    /** The numbers of the builds in that state, oldest first. */
    async numbersIn(kind: "queued" | "running"): Promise<BuildNumber[]> {
      return (await redis.zrange(inState(kind), "0", "-1")).map((number) => BuildNumber.parse(number));
    },

    /** Builds in that state, oldest first. */
    async inState(kind: "queued" | "running"): Promise<Build[]> {
      return read(await redis.zrange(inState(kind), "0", "-1"));
    },

    /** The newest builds first, of one project or of all. */
    async latest(limit: number, project?: ProjectName): Promise<Build[]> {
      return [...(await this.history.page({ project, limit })).builds];
    },

    /** Every number there is, the oldest first, some at a time: what is added meanwhile may be among them. */
    async *numbers(): AsyncGenerator<string[], void, undefined> {
      let last = "-inf";
      for (;;) {
        const some = await redis.zrange(
          ALL,
          last === "-inf" ? last : `(${last}`,
          "+inf",
          "BYSCORE",
          "LIMIT",
          0,
          NUMBERS_AT_ONCE,
        );
        const newest = some.at(-1);
        if (newest === undefined) return;
        yield some;
        last = newest;
      }
    },

    /** Forgets a build that is over, its plan and its places in the history. False: it is not over, or not told of yet. */
    async remove(build: FinishedBuild): Promise<boolean> {
      const { keys, names } = indexPlaces(build);
      const args = [String(build.number), JSON.stringify(keys), JSON.stringify(names)];
      const removed = (await redis.eval(REMOVE, 2, record(build.number), FINISHED, ...args)) === 1;
      if (removed) recent.forget(build.number);
      return removed;
    },

    /** The newest finished build of a project. */
    async lastFinished(project: ProjectName): Promise<FinishedBuild | undefined> {
      return (await this.latest(20, project)).find(isFinished);
    },
  };
}
