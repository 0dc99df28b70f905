/**
 * The line in Redis: which builds wait, and which are at work for which job. A worker that is free asks for the next build that may
 * begin, and the script that answers writes down who has it, so that two never get one, and no limit is passed by two at once.
 */
import type { Redis } from "ioredis";
import { z } from "zod";
import type { Build } from "../builds/build.ts";
import { BuildNumber, type ProjectName } from "../names.ts";
import { ALL, PAUSED } from "./pauses.ts";
import { standingOf } from "./priority.ts";

/** A sorted set for each project: padded numbers by where they stand. */
const LINE = "docker-ci:line:of:";
/** The projects that have one. */
const PROJECTS = "docker-ci:line:projects";
/** Begun builds that nobody has, as `<number> <project>`: they go on before anything else begins, whatever the limits. */
const LOST = "docker-ci:line:lost";
/** By number who has it: `<job> <token> <project>`. */
const TAKEN = "docker-ci:line:taken";

/** As wide as the largest number, so that those that stand alike are in order of number. */
const DIGITS = 16;

/** What a project's builds must keep to among each other. */
export interface Limit {
  /** How many of them run at a time; undefined: as many as there are slots. */
  readonly max: number | undefined;
  /** Of all projects in it one build runs at a time, in the order in which they were asked for. */
  readonly group: string | undefined;
}
export type Limits = ReadonlyMap<ProjectName, Limit>;

/** Who takes a build: a job, and the worker's token for this time at it. */
export interface Taker {
  readonly job: string;
  readonly token: string;
}

/** KEYS: the project's line, projects, taken. ARGV: padded number, where it stands, number, project. */
const ADD = `
if redis.call('HEXISTS', KEYS[3], ARGV[3]) == 1 then return 0 end
redis.call('ZADD', KEYS[1], 'NX', ARGV[2], ARGV[1])
redis.call('SADD', KEYS[2], ARGV[4])
return 1
`;

/** KEYS: lost, taken. ARGV: number, project. */
const ADD_LOST = `
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then return 0 end
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[1] .. ' ' .. ARGV[2])
return 1
`;

/**
 * KEYS: taken, projects, lost, paused.
 * ARGV: job, token, `{ project: { max?, group? } }`, prefix of the lines, the field that holds everything.
 * Returns the number ("" for none) and 1 when more wait. A job that has a build already, as after its worker's death, gets that.
 */
const TAKE = `
local limits = cjson.decode(ARGV[3])
local function limit(project) return limits[project] or {} end
local function waiting()
  return (redis.call('SCARD', KEYS[2]) + redis.call('ZCARD', KEYS[3]) > 0) and 1 or 0
end
local function give(number, project)
  redis.call('HSET', KEYS[1], number, ARGV[1] .. ' ' .. ARGV[2] .. ' ' .. project)
  return { number, waiting() }
end

local atWork, busy = {}, {}
local taken = redis.call('HGETALL', KEYS[1])
for i = 1, #taken, 2 do
  local job, project = string.match(taken[i + 1], '^(%S+) %S+ (%S+)$')
  if job == ARGV[1] then return give(taken[i], project) end
  atWork[project] = (atWork[project] or 0) + 1
  local group = limit(project).group
  if group then busy[group] = true end
end

local lost = redis.call('ZPOPMIN', KEYS[3])[1]
if lost then
  local number, project = string.match(lost, '^(%S+) (%S+)$')
  return give(number, project)
end

if redis.call('HEXISTS', KEYS[4], ARGV[5]) == 1 then return { '', waiting() } end
local best, groups = nil, {}
local function offer(candidate)
  if not best or candidate.stands < best.stands or (candidate.stands == best.stands and candidate.member < best.member) then
    best = candidate
  end
end
for _, project in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  local key = ARGV[4] .. project
  local max, group = limit(project).max, limit(project).group
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  if #first == 0 then
    redis.call('SREM', KEYS[2], project)
  elseif redis.call('HEXISTS', KEYS[4], project) == 0 and not (max and (atWork[project] or 0) >= max) then
    local candidate = { member = first[1], stands = tonumber(first[2]), project = project }
    if not group then
      offer(candidate)
    elseif not busy[group] then
      for _, member in ipairs(redis.call('ZRANGE', key, 0, -1)) do
        if member < candidate.member then candidate.member = member end
      end
      local other = groups[group]
      if other then
        local stands = math.min(other.stands, candidate.stands)
        if other.member < candidate.member then candidate = other end
        candidate.stands = stands
      end
      groups[group] = candidate
    end
  end
end
for _, candidate in pairs(groups) do offer(candidate) end
if not best then return { '', waiting() } end
redis.call('ZREM', ARGV[4] .. best.project, best.member)
if redis.call('EXISTS', ARGV[4] .. best.project) == 0 then redis.call('SREM', KEYS[2], best.project) end
return give(string.format('%.0f', tonumber(best.member)), best.project)
`;

/** KEYS: taken, projects, lost. ARGV: number, `<job> <token> `. Returns 1 when others wait. */
const RELEASE = `
local taken = redis.call('HGET', KEYS[1], ARGV[1])
if taken and string.sub(taken, 1, #ARGV[2]) == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1]) end
return (redis.call('SCARD', KEYS[2]) + redis.call('ZCARD', KEYS[3]) > 0) and 1 or 0
`;

/** What a free worker is told. */
export interface Next {
  readonly number: BuildNumber | undefined;
  /** Others wait still, for a slot or for something else: somebody should look again. */
  readonly more: boolean;
}

const Answer = z.tuple([z.string(), z.number()]);

export type Line = ReturnType<typeof createLine>;

/** @param redis not closed here. */
export function createLine(redis: Redis) {
  const padded = (number: number): string => String(number).padStart(DIGITS, "0");
  const owner = ({ job, token }: Taker): string => `${job} ${token} `;

  return {
    /** Puts it at its place, unless somebody is at it. A build that has begun comes before all others. */
    async add(build: Build): Promise<void> {
      const { number, project, state } = build;
      if (state.kind === "running") await redis.eval(ADD_LOST, 2, LOST, TAKEN, number, project);
      else if (state.kind === "queued") {
        const args = [padded(number), standingOf(build), number, project];
        await redis.eval(ADD, 3, LINE + project, PROJECTS, TAKEN, ...args);
      }
    },

    async remove({ number, project }: Pick<Build, "number" | "project">): Promise<void> {
      await redis.zrem(LINE + project, padded(number));
    },

    /** The next build that may begin, which is the taker's from now on. */
    async take({ job, token }: Taker, limits: Limits): Promise<Next> {
      // Of a project nothing else may get into Redis: it has secrets.
      const written = Object.fromEntries([...limits].map(([project, { max, group }]) => [project, { max, group }]));
      const args = [job, token, JSON.stringify(written), LINE, ALL];
      const answer = await redis.eval(TAKE, 4, TAKEN, PROJECTS, LOST, PAUSED, ...args);
      const [number, more] = Answer.parse(answer);
      return { number: number === "" ? undefined : BuildNumber.parse(number), more: more === 1 };
    },

    /** It is over, or nobody is at it any more. Nothing when somebody else has it by now. @returns whether others wait. */
    async release(number: BuildNumber, taker: Taker): Promise<boolean> {
      return (await redis.eval(RELEASE, 3, TAKEN, PROJECTS, LOST, number, owner(taker))) === 1;
    },

    /** Whether anything waits, for whatever. */
    async isWaiting(): Promise<boolean> {
      return (await redis.scard(PROJECTS)) + (await redis.zcard(LOST)) > 0;
    },

    /** The numbers of all that wait, and of those that somebody has. */
    async numbers(): Promise<ReadonlySet<number>> {
      // What moves on meanwhile is seen in one place at least: it goes from the lines to the taken ones.
      const projects = await redis.smembers(PROJECTS);
      const waiting = await Promise.all(projects.map((project) => redis.zrange(LINE + project, "0", "-1")));
      const [lost, taken] = [await redis.zrange(LOST, "0", "-1"), await redis.hkeys(TAKEN)];
      return new Set([...waiting.flat(), ...lost, ...taken].map((member) => Number.parseInt(member, 10)));
    },

    /** Who has which build. */
    async taken(): Promise<readonly { readonly number: BuildNumber; readonly taker: Taker }[]> {
      return Object.entries(await redis.hgetall(TAKEN)).map(([number, value]) => {
        const [job = "", token = ""] = value.split(" ");
        return { number: BuildNumber.parse(number), taker: { job, token } };
      });
    },
  };
}
