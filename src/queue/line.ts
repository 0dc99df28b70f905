/**
 * The line in Redis: which builds wait, and which are at work for which job. A worker that is free asks for the next build that may
 * begin, and the script that answers writes down who has it, so that two never get one, and no limit is passed by two at once.
 */
import type { Redis } from "ioredis";
import { z } from "zod";
import type { Build } from "../builds/build.ts";
import { BuildNumber, type ProjectName } from "../names.ts";
import { DRAINING } from "./drains.ts";
import { ALL, PAUSED } from "./pauses.ts";
import { standingOf } from "./priority.ts";
import { PROTOCOL_KEY } from "./protocol.ts";
import { script } from "./script.ts";

/** A sorted set for each project: padded numbers by where they stand. */
const LINE = "docker-ci:line:of:";
/** The projects that have one. */
const PROJECTS = "docker-ci:line:projects";
/** Begun builds that nobody has, as `<number> <project>`: they go on before anything else begins, whatever the limits. */
const LOST = "docker-ci:line:lost";
/** By number who has it: `<job> <token> <project>`. */
const TAKEN = "docker-ci:line:taken";
/** By number what a worker must have for it, with spaces between; nothing of a build that any may take. */
const LABELS = "docker-ci:line:labels";

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

/** Who takes: what it has, and what it may take. Without one any build is given. */
export interface TakingWorker {
  readonly name: string;
  readonly labels: readonly string[];
  readonly protocol: number;
  /** It takes builds of the projects among the limits alone: of others it would not know how. */
  readonly knownOnly: boolean;
}

/** Begins the scripts that put a build in line. */
const REMEMBER_LABELS = `
local function remember(labels, number)
  if labels == '' then redis.call('HDEL', '${LABELS}', number) else redis.call('HSET', '${LABELS}', number, labels) end
end
`;

/** KEYS: the project's line, projects, taken. ARGV: padded number, where it stands, number, project, labels. */
const ADD = script(`${REMEMBER_LABELS}
if redis.call('HEXISTS', KEYS[3], ARGV[3]) == 1 then return 0 end
remember(ARGV[5], ARGV[3])
redis.call('ZADD', KEYS[1], 'NX', ARGV[2], ARGV[1])
redis.call('SADD', KEYS[2], ARGV[4])
return 1
`);

/** KEYS: lost, taken. ARGV: number, project, labels. */
const ADD_LOST = script(`${REMEMBER_LABELS}
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then return 0 end
remember(ARGV[3], ARGV[1])
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[1] .. ' ' .. ARGV[2])
return 1
`);

/** KEYS: taken. Begins the scripts in which a build is given up by whoever has it. */
const RELEASE_LUA = `
local function release(number, owner)
  local taken = redis.call('HGET', KEYS[1], number)
  if taken and string.sub(taken, 1, #owner) == owner then
    redis.call('HDEL', KEYS[1], number)
    redis.call('HDEL', '${LABELS}', number)
  end
end
`;

/** So far into a project's line a build is looked for that the worker fits; who stands behind waits for the next time. */
const LOOKED_THROUGH = 200;

/**
 * KEYS: taken, projects, lost.
 * ARGV: job, token, `{ project: { max?, group? } }`, prefix of the lines, the field that holds everything, the `TakingWorker` or
 * `{}`, the number of the build that it has done ("" for none). What is only read stands in the script: a worker on another machine may not change it.
 * Returns the number ("" for none), 1 when more wait, and 1 when something may begin, but not on this worker. A job that has a
 * build already, as after its worker's death, gets that.
 */
const TAKE = script(`${RELEASE_LUA}
if ARGV[7] ~= '' then release(ARGV[7], ARGV[1] .. ' ' .. ARGV[2] .. ' ') end
local limits, me = cjson.decode(ARGV[3]), cjson.decode(ARGV[6])
local function limit(project) return limits[project] or {} end
local function waiting()
  return (redis.call('SCARD', KEYS[2]) + redis.call('ZCARD', KEYS[3]) > 0) and 1 or 0
end
local elsewhere = 0
local function nothing() return { '', waiting(), elsewhere } end
local function give(number, project)
  redis.call('HSET', KEYS[1], number, ARGV[1] .. ' ' .. ARGV[2] .. ' ' .. project)
  return { number, waiting(), elsewhere }
end
local has = {}
for _, label in ipairs(me.labels or {}) do has[label] = true end
local asking = me.labels and redis.call('HLEN', '${LABELS}') > 0
local function fits(number, project)
  if me.knownOnly and not limits[project] then elsewhere = 1 return false end
  local wanted = asking and redis.call('HGET', '${LABELS}', number)
  if wanted then
    for label in string.gmatch(wanted, '%S+') do
      if not has[label] then elsewhere = 1 return false end
    end
  end
  return true
end
local function numberOf(member) return string.format('%.0f', tonumber(member)) end

local held = me.name and (redis.call('HEXISTS', '${DRAINING}', me.name) == 1
  or redis.call('GET', '${PROTOCOL_KEY}') ~= string.format('%.0f', me.protocol))
local atWork, busy = {}, {}
local taken = redis.call('HGETALL', KEYS[1])
for i = 1, #taken, 2 do
  local job, project = string.match(taken[i + 1], '^(%S+) %S+ (%S+)$')
  if job == ARGV[1] then
    if not held and fits(taken[i], project) then return give(taken[i], project) end
    redis.call('HDEL', KEYS[1], taken[i])
    redis.call('ZADD', KEYS[3], taken[i], taken[i] .. ' ' .. project)
  else
    atWork[project] = (atWork[project] or 0) + 1
    local group = limit(project).group
    if group then busy[group] = true end
  end
end
if held then
  elsewhere = waiting()
  return nothing()
end

for _, lost in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
  local number, project = string.match(lost, '^(%S+) (%S+)$')
  if fits(number, project) then
    redis.call('ZREM', KEYS[3], lost)
    return give(number, project)
  end
end

if redis.call('HEXISTS', '${PAUSED}', ARGV[5]) == 1 then return nothing() end
local best, groups = nil, {}
local function offer(candidate)
  if not best or candidate.stands < best.stands or (candidate.stands == best.stands and candidate.member < best.member) then
    best = candidate
  end
end
local function firstThatFits(key, project)
  for _, from in ipairs(asking and { 0, 1 } or { 0 }) do
    local members = redis.call('ZRANGE', key, from, from == 0 and 0 or ${LOOKED_THROUGH - 1}, 'WITHSCORES')
    for i = 1, #members, 2 do
      if fits(numberOf(members[i]), project) then
        return { member = members[i], stands = tonumber(members[i + 1]), project = project }
      end
    end
  end
end
for _, project in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  local key = ARGV[4] .. project
  local max, group = limit(project).max, limit(project).group
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  if #first == 0 then
    redis.call('SREM', KEYS[2], project)
  elseif redis.call('HEXISTS', '${PAUSED}', project) == 0 and not (max and (atWork[project] or 0) >= max) then
    if not group then
      local candidate = firstThatFits(key, project)
      if candidate then offer(candidate) end
    elseif not busy[group] then
      local candidate = { member = first[1], stands = tonumber(first[2]), project = project }
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
for _, candidate in pairs(groups) do
  if fits(numberOf(candidate.member), candidate.project) then offer(candidate) end
end
if not best then return nothing() end
redis.call('ZREM', ARGV[4] .. best.project, best.member)
if redis.call('EXISTS', ARGV[4] .. best.project) == 0 then redis.call('SREM', KEYS[2], best.project) end
return give(numberOf(best.member), best.project)
`);

/** KEYS: taken, projects, lost. ARGV: number, `<job> <token> `. Returns 1 when others wait. */
const RELEASE = script(`${RELEASE_LUA}
release(ARGV[1], ARGV[2])
return (redis.call('SCARD', KEYS[2]) + redis.call('ZCARD', KEYS[3]) > 0) and 1 or 0
`);

/** What a free worker is told. */
export interface Next {
  readonly number: BuildNumber | undefined;
  /** Others wait still, for a slot or for something else: somebody should look again. */
  readonly more: boolean;
  /** Something may begin, and another worker would have to take it. */
  readonly elsewhere: boolean;
}

const Answer = z.tuple([z.string(), z.number(), z.number()]);

export type Line = ReturnType<typeof createLine>;

/** @param redis not closed here. */
export function createLine(redis: Redis) {
  const padded = (number: number): string => String(number).padStart(DIGITS, "0");
  const owner = ({ job, token }: Taker): string => `${job} ${token} `;

  return {
    /** Puts it at its place, unless somebody is at it. A build that has begun comes before all others. */
    async add(build: Build): Promise<void> {
      const { number, project, state } = build;
      const labels = (build.labels ?? []).join(" ");
      if (state.kind === "running") await ADD_LOST(redis, [LOST, TAKEN], [number, project, labels]);
      else if (state.kind === "queued") {
        const args = [padded(number), standingOf(build), number, project, labels];
        await ADD(redis, [LINE + project, PROJECTS, TAKEN], args);
      }
    },

    async remove({ number, project }: Pick<Build, "number" | "project">): Promise<void> {
      await redis.zrem(LINE + project, padded(number));
      await redis.hdel(LABELS, String(number));
    },

    /**
     * The next build that may begin, which is the taker's from now on.
     * @param done the build that the taker had until now, which is over.
     */
    async take({ job, token }: Taker, limits: Limits, worker?: TakingWorker, done?: BuildNumber): Promise<Next> {
      // Of a project nothing else may get into Redis: it has secrets.
      const written = Object.fromEntries([...limits].map(([project, { max, group }]) => [project, { max, group }]));
      const args = [job, token, JSON.stringify(written), LINE, ALL, JSON.stringify(worker ?? {}), done ?? ""];
      const answer = await TAKE(redis, [TAKEN, PROJECTS, LOST], args);
      const [number, more, elsewhere] = Answer.parse(answer);
      const given = number === "" ? undefined : BuildNumber.parse(number);
      return { number: given, more: more === 1, elsewhere: elsewhere === 1 };
    },

    /** It is over, or nobody is at it any more. Nothing when somebody else has it by now. @returns whether others wait. */
    async release(number: BuildNumber, taker: Taker): Promise<boolean> {
      return (await RELEASE(redis, [TAKEN, PROJECTS, LOST], [number, owner(taker)])) === 1;
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
