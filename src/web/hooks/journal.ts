/**
 * Changes that webhooks told of and that are not acted on yet, in Redis: a forge does not tell twice what was answered. One step
 * writes them and remembers the delivery, so it is never known without being there.
 */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { z } from "zod";
import { GitRef, ProjectName, Sha } from "../../names.ts";
import type { Change } from "../../triggers/change.ts";

const Base = { project: ProjectName, by: z.string() };
const ChangeRecord = z.union([
  z
    .object({
      ...Base,
      kind: z.literal("push"),
      branch: GitRef,
      before: Sha.optional(),
      after: Sha,
      messages: z.array(z.string()).readonly(),
      files: z.array(z.string()).readonly().optional(),
    })
    .transform((read) => ({ ...read, before: read.before, files: read.files })),
  z.object({ ...Base, kind: z.literal("tag"), tag: GitRef, sha: Sha }),
  z.object({
    ...Base,
    kind: z.literal("pull_request"),
    number: z.number(),
    action: z.enum(["opened", "updated", "closed"]),
    head: Sha,
    into: GitRef,
    title: z.string(),
    isTrusted: z.boolean(),
    isDraft: z.boolean(),
  }),
  z.object({
    ...Base,
    kind: z.literal("comment"),
    number: z.number(),
    command: z.enum(["test", "retest", "ok-to-test", "cancel"]),
    isCollaborator: z.boolean().optional(),
    userId: z.number().optional(),
  }),
]) satisfies z.ZodType<Change>;

/** `turn` counts within a process; the same clock may tell the same millisecond for many. */
const Entry = z.object({ change: ChangeRecord, at: z.number(), turn: z.number() });

export interface NotedChange {
  /** The same when it is told again. */
  readonly id: string;
  readonly change: Change;
  readonly at: Date;
}

export interface HookJournal {
  /**
   * In one round trip, all or none. `known`: one of the marks came before, within three days. `full`: nothing was written, as too
   * much waits already. Rejects when Redis does not answer; they may then be there or not.
   */
  write(marks: readonly string[], changes: readonly NotedChange[]): Promise<"written" | "known" | "full">;
  crossOff(id: string): Promise<void>;
  /** Those whose id is not among these, in the order in which they came. */
  others(ids: ReadonlySet<string>): Promise<readonly NotedChange[]>;
}

const JOURNAL = "docker-ci:hooks:journal";
const MARK = "docker-ci:hooks:once:";
const MARK_SECONDS = 3 * 86_400;
/** Usually there are none or two; with everything else that is bounded, some 100 MB at the very worst. */
const MOST = 10_000;

/** KEYS: the journal, one for each mark. ARGV: most entries, how long marks are kept, then ids and entries in pairs. */
const WRITE = `
for i = 2, #KEYS do if redis.call('EXISTS', KEYS[i]) == 1 then return 'known' end end
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[1]) then return 'full' end
for i = 2, #KEYS do redis.call('SET', KEYS[i], '1', 'EX', ARGV[2]) end
for i = 3, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
return 'written'
`;
const Outcome = z.enum(["written", "known", "full"]);

export function createHookJournal(redis: Redis, log: Logger): HookJournal {
  let turn = 0;
  return {
    async write(marks, changes) {
      const pairs = changes.flatMap(({ id, change, at }) => {
        turn += 1;
        return [id, JSON.stringify({ change, at: at.getTime(), turn } satisfies z.input<typeof Entry>)];
      });
      const keys = [JOURNAL, ...marks.map((mark) => MARK + mark)];
      return Outcome.parse(await redis.eval(WRITE, keys.length, ...keys, MOST, MARK_SECONDS, ...pairs));
    },
    async crossOff(id) {
      await redis.hdel(JOURNAL, id);
    },
    async others(ids) {
      const left = (await redis.hkeys(JOURNAL)).filter((id) => !ids.has(id));
      if (left.length === 0) return [];
      const read = (await redis.hmget(JOURNAL, ...left)).flatMap((json, index) => {
        const id = left[index];
        // Crossed off in between.
        if (id === undefined || json === null) return [];
        return [{ id, entry: Entry.safeParse(parseJson(json)).data }];
      });
      const unreadable = read.flatMap(({ id, entry }) => (entry === undefined ? [id] : []));
      if (unreadable.length > 0) {
        log.warn({ ids: unreadable }, "what another version wrote down of these changes cannot be read");
        await redis.hdel(JOURNAL, ...unreadable);
      }
      return read
        .flatMap(({ id, entry }) => (entry === undefined ? [] : [{ id, ...entry }]))
        .toSorted((one, other) => one.at - other.at || one.turn - other.turn)
        .map(({ id, change, at }) => ({ id, change, at: new Date(at) }));
    },
  };
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    // It fails the schema right after, which is where it is reported.
    return undefined;
  }
}
