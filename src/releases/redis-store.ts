/**
 * The records of releases in Redis. Every change is a compare-and-set on the record's `change`, in one script with the indexes
 * and with what is said of it: what was said has happened, and what happened is said, whenever the process dies.
 */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { z } from "zod";
import { RuntimeError } from "../errors.ts";
import type { ProjectName } from "../names.ts";
import { OUTBOX_ROOMS } from "../queue/outbox-entry.ts";
import { pushArguments, pushLua } from "../queue/push.ts";
import { isOver, Release, ReleaseNumber, type Version } from "./release.ts";
import { ReleaseBusyError, type ReleaseStore } from "./store.ts";

const NEXT = "docker-ci:releases:next";
const ALL = "docker-ci:releases";
const OPEN = "docker-ci:releases:open";
/** Published with the number at every change; nothing may depend on hearing it. */
export const RELEASE_EVENTS = "docker-ci:releases:changed";
const DAY_S = 86_400;
const record = (number: number | string): string => `docker-ci:release:${number}`;
const ofProject = (project: string): string => `docker-ci:releases:project:${project}`;
/** A hash: version to the number of the newest release that published it. */
const publishedOf = (project: string): string => `docker-ci:releases:published:${project}`;
/** The number of the release that people asked for and that is not over. */
const underWay = (project: string): string => `docker-ci:releases:under-way:${project}`;
const askedAs = (name: string): string => `docker-ci:releases:asked:${name}`;

/**
 * KEYS: record, all, of the project, open, published, under way, rooms with an outbox, who asked.
 * ARGV: the change it must have ("" for a new one), the change it gets, number, json, "1" when it is over, the version when it
 * is published by this else "", "1" when no other of the project may be under way, "1" when the request has a name, seconds of
 * that name, channel of changes, `pushArguments`.
 * Returns what became of it and, with `asked` and `busy`, the number of the other release.
 */
const WRITE = `
local is_new = ARGV[1] == ''
if is_new and ARGV[8] == '1' then
  local other = redis.call('GET', KEYS[8])
  if other then return {'asked', other} end
end
if (redis.call('HGET', KEYS[1], 'change') or '') ~= ARGV[1] then return {'changed'} end
if is_new and ARGV[7] == '1' then
  local other = redis.call('GET', KEYS[6])
  if other then return {'busy', other} end
  redis.call('SET', KEYS[6], ARGV[3])
end
if is_new and ARGV[8] == '1' then redis.call('SET', KEYS[8], ARGV[3], 'EX', ARGV[9]) end
redis.call('HSET', KEYS[1], 'change', ARGV[2], 'json', ARGV[4])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[3])
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[3])
if ARGV[5] == '1' then
  redis.call('ZREM', KEYS[4], ARGV[3])
  if redis.call('GET', KEYS[6]) == ARGV[3] then redis.call('DEL', KEYS[6]) end
else
  redis.call('ZADD', KEYS[4], ARGV[3], ARGV[3])
end
if ARGV[6] ~= '' then redis.call('HSET', KEYS[5], ARGV[6], ARGV[3]) end
${pushLua({ rooms: 7, first: 11 })}redis.call('PUBLISH', ARGV[10], ARGV[3])
return {'written'}
`;

const Written = z.tuple([z.enum(["written", "changed", "asked", "busy"])]).rest(z.string());

/** @param log told of a record that cannot be read, as after a downgrade; it is left out, so that it hides no other. */
export function createReleaseStore(redis: Redis, log: Logger): ReleaseStore {
  async function write(
    next: Release,
    {
      before,
      asked,
      announce,
    }: { before?: Release; asked?: string | undefined; announce: Parameters<typeof pushArguments>[0] },
  ): Promise<z.infer<typeof Written>> {
    const checked = Release.parse(next);
    const { project, version, kind } = checked.plan;
    // A rollback publishes nothing: its version stays what the release of it made it.
    const publishes = checked.state.kind === "published" && kind === "release";
    const keys = [
      record(checked.number),
      ALL,
      ofProject(project),
      OPEN,
      publishedOf(project),
      underWay(project),
      OUTBOX_ROOMS,
      askedAs(asked ?? ""),
    ];
    const args = [
      before === undefined ? "" : String(before.change),
      String(checked.change),
      String(checked.number),
      JSON.stringify(checked),
      isOver(checked) ? "1" : "0",
      publishes ? version : "",
      checked.origin === "person" ? "1" : "0",
      asked === undefined ? "0" : "1",
      String(DAY_S),
      RELEASE_EVENTS,
      ...pushArguments(announce),
    ];
    return Written.parse(await redis.eval(WRITE, keys.length, ...keys, ...args));
  }

  async function read(numbers: readonly string[]): Promise<Release[]> {
    if (numbers.length === 0) return [];
    const pipeline = redis.pipeline();
    for (const number of numbers) pipeline.hget(record(number), "json");
    const replies = (await pipeline.exec()) ?? [];
    return replies.flatMap(([error, json]) => {
      if (error !== null) throw new RuntimeError("Redis could not read the releases", { cause: error });
      return typeof json === "string" ? parsed(json) : [];
    });
  }

  function parsed(json: string): readonly Release[] {
    const release = Release.safeParse(JSON.parse(json));
    if (release.success) return [release.data];
    log.error({ err: release.error, json: json.slice(0, 300) }, "the record of a release that cannot be read");
    return [];
  }

  async function get(number: ReleaseNumber): Promise<Release | undefined> {
    const [release] = await read([String(number)]);
    return release;
  }

  return {
    get,

    async create(draft, asked, announce) {
      const number = ReleaseNumber.parse(await redis.incr(NEXT));
      const created: Release = { ...draft, number, change: 0 };
      const [outcome, other] = await write(created, { asked, announce: await announce(number) });
      if (outcome === "written") return created;
      if (outcome === "changed") throw new RuntimeError(`R${number} exists already; was ${NEXT} reset?`);
      const before = await get(ReleaseNumber.parse(other));
      if (outcome === "busy") throw new ReleaseBusyError(ReleaseNumber.parse(other), before);
      if (before === undefined) throw new RuntimeError(`the record of R${other} cannot be read`);
      return before;
    },

    async asked(name) {
      const number = await redis.get(askedAs(name));
      return number === null ? undefined : get(ReleaseNumber.parse(number));
    },

    async change(before, changes, announce = []) {
      const next: Release = { ...before, ...changes, change: before.change + 1 };
      const [outcome] = await write(next, { before, announce });
      return outcome === "written" ? next : undefined;
    },

    async latest(limit, { project, before } = {}) {
      const key = project === undefined ? ALL : ofProject(project);
      const end = before === undefined ? "+inf" : `(${before}`;
      return read(await redis.zrange(key, end, "-inf", "BYSCORE", "REV", "LIMIT", 0, limit));
    },

    async open() {
      return read(await redis.zrange(OPEN, "0", "-1"));
    },

    async underWay(project: ProjectName) {
      const number = await redis.get(underWay(project));
      return number === null ? undefined : get(ReleaseNumber.parse(number));
    },

    async published(project: ProjectName, version: Version) {
      const number = await redis.hget(publishedOf(project), version);
      return number === null ? undefined : get(ReleaseNumber.parse(number));
    },
  };
}
