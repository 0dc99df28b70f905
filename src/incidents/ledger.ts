/** What is known of every branch, in Redis; changed together with the notices that come of it. */
import type { Redis } from "ioredis";
import { FINISHED } from "../builds/store.ts";
import { BuildNumber, type GitRef, type ProjectName } from "../names.ts";
import { OUTBOX_ROOMS, type OutboxEntry } from "../queue/outbox-entry.ts";
import { pushArguments, pushLua } from "../queue/push.ts";
import { BranchState, type Incident } from "./incident.ts";

const BRANCHES = "docker-ci:branches";
/** Fields of the hash whose branch is broken. */
const BROKEN = "docker-ci:branches:broken";

const field = (project: string, branch: string): string => `${project}\0${branch}`;

/**
 * KEYS: ended builds, branches, broken branches, rooms with an outbox.
 * ARGV: the number that must be first, field, the state as it was read, the state to come ("" for no change), "1" for broken,
 * `pushArguments`. A number of "" is no build: only the state has to be as it was.
 * Returns 1, or 0 when somebody else was quicker.
 */
const SETTLE = `
if ARGV[1] ~= '' and redis.call('LINDEX', KEYS[1], 0) ~= ARGV[1] then return 0 end
if (redis.call('HGET', KEYS[2], ARGV[2]) or '') ~= ARGV[3] then return 0 end
if ARGV[1] ~= '' then redis.call('LPOP', KEYS[1]) end
if ARGV[4] ~= '' then
  redis.call('HSET', KEYS[2], ARGV[2], ARGV[4])
  if ARGV[5] == '1' then redis.call('SADD', KEYS[3], ARGV[2]) else redis.call('SREM', KEYS[3], ARGV[2]) end
end
${pushLua({ rooms: 4, first: 6 })}return 1
`;

/** A branch's state as it was read; handed back when it is changed. */
export interface Remembered {
  readonly state: BranchState;
  readonly json: string;
}

export type Ledger = ReturnType<typeof createLedger>;

export function createLedger(redis: Redis) {
  async function settle(
    number: string,
    name: string,
    before: string,
    next: BranchState | undefined,
    entries: readonly OutboxEntry[],
  ): Promise<boolean> {
    const json = next === undefined ? "" : JSON.stringify(BranchState.parse(next));
    const broken = next?.incident === undefined ? "0" : "1";
    const keys = [FINISHED, BRANCHES, BROKEN, OUTBOX_ROOMS];
    return (
      (await redis.eval(
        SETTLE,
        keys.length,
        ...keys,
        number,
        name,
        before,
        json,
        broken,
        ...pushArguments(entries),
      )) === 1
    );
  }

  return {
    /** The build that ended first and has had no news made of it. */
    async nextFinished(): Promise<BuildNumber | undefined> {
      const number = await redis.lindex(FINISHED, 0);
      return number === null ? undefined : BuildNumber.parse(number);
    },

    async read(project: ProjectName, branch: GitRef): Promise<Remembered> {
      const json = await redis.hget(BRANCHES, field(project, branch));
      return { json: json ?? "", state: json === null ? {} : BranchState.parse(JSON.parse(json)) };
    },

    /** Takes an ended build off the list, with what it changed and what is to be told. False: somebody else did. */
    settleBuild(
      number: BuildNumber,
      project: ProjectName,
      branch: GitRef,
      before: Remembered,
      next: BranchState,
      entries: readonly OutboxEntry[],
    ): Promise<boolean> {
      return settle(String(number), field(project, branch), before.json, next, entries);
    },

    /** Changes an open incident, with what is to be told of it. False when it changed meanwhile: read again. */
    change(incident: Incident, before: Remembered, entries: readonly OutboxEntry[]): Promise<boolean> {
      return settle("", field(incident.project, incident.branch), before.json, { ...before.state, incident }, entries);
    },

    /** All open incidents, the oldest first. */
    async open(): Promise<Incident[]> {
      const names = await redis.smembers(BROKEN);
      if (names.length === 0) return [];
      const states = await redis.hmget(BRANCHES, ...names);
      return states
        .flatMap((json) => (json === null ? [] : [BranchState.parse(JSON.parse(json)).incident]))
        .filter((incident) => incident !== undefined)
        .sort((a, b) => a.since.localeCompare(b.since));
    },
  };
}
