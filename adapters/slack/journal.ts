/**
 * What people asked for and has not been answered to its end, in Redis: Slack delivers again only what was not acknowledged, so
 * a command is written down before it is. One step writes it and remembers its ids, so it is never known without being there.
 */
import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { z } from "zod";
import { Room } from "../../src/chat/message.ts";
import type { NetworkName } from "../../src/names.ts";

/** What is known of a message before anything was looked up. */
export const Heard = z.object({
  /** Ids under which it may come again; the last one is its own. */
  ids: z.tuple([z.string()], z.string()),
  room: Room,
  user: z.string(),
  /** In Slack's markup. */
  text: z.string(),
  thread: z.string().exactOptional(),
  command: z.literal(true).exactOptional(),
  discreet: z.literal(true).exactOptional(),
});
export type Heard = z.infer<typeof Heard>;

/** The id that no other message has. */
export function idOf({ ids }: Heard): string {
  return ids.at(-1) ?? ids[0];
}

/** A message that a process before this one was killed over. */
export interface LeftOver {
  readonly heard: Heard;
  readonly at: Date;
  /** Slack's way back to a slash command, while it is good. */
  readonly responseUrl: string | undefined;
}

export interface SlackJournal {
  /**
   * In one round trip. `known`: it came before, within a day. `full`: nothing was written, as too much waits already.
   * Rejects when Redis does not answer.
   */
  write(heard: Heard, responseUrl: string | undefined): Promise<"written" | "known" | "full">;
  crossOff(ids: readonly string[]): Promise<void>;
  /** In the order in which it came. */
  leftOver(): Promise<readonly LeftOver[]>;
}

const DAY_S = 86_400;
/** Slack takes what is sent to a response_url for half an hour. */
const RESPONSE_URL_S = 29 * 60;
/** Some 40 MB at the very most, as Slack's messages have 40,000 characters; usually there are none or two. */
const MOST = 1_000;

/**
 * KEYS: the journal, the response_url's, one for each id. ARGV: own id, entry, response_url or "", most entries, how long ids are
 * remembered, how long a response_url is kept. A full journal remembers no id: what is not written may come again.
 */
const WRITE = `
for i = 3, #KEYS do if redis.call('EXISTS', KEYS[i]) == 1 then return 'known' end end
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then return 'full' end
for i = 3, #KEYS do redis.call('SET', KEYS[i], '1', 'EX', ARGV[5]) end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[5])
if ARGV[3] ~= '' then redis.call('SET', KEYS[2], ARGV[3], 'EX', ARGV[6]) end
return 'written'
`;

const Outcome = z.enum(["written", "known", "full"]);
/** `by` is the process and `turn` its count; the same clock may tell the same millisecond for many. */
const Entry = z.object({ heard: Heard, at: z.number(), turn: z.number(), by: z.string() });
type Entry = z.infer<typeof Entry>;

/**
 * Keys: the hash `docker-ci:slack:<network>:journal`, which goes a day after the last entry was added, and
 * `docker-ci:slack:<network>:response:<id>`, which goes when its entry does, and by itself when Slack takes it no more. Trigger
 * ids are worth nothing to anybody after three seconds, so they serve as ids like any other.
 */
export function createSlackJournal(redis: Redis, network: NetworkName, log: Logger): SlackJournal {
  const prefix = `docker-ci:slack:${network}`;
  const journal = `${prefix}:journal`;
  const response = (id: string): string => `${prefix}:response:${id}`;
  const by = randomUUID();
  let turn = 0;

  const crossOff = async (ids: readonly string[]): Promise<void> => {
    if (ids.length === 0) return;
    await Promise.all([redis.hdel(journal, ...ids), redis.del(...ids.map(response))]);
  };

  return {
    async write(heard, responseUrl = "") {
      const id = idOf(heard);
      turn += 1;
      const entry = JSON.stringify({ heard, at: Date.now(), turn, by } satisfies Entry);
      const keys = [journal, response(id), ...heard.ids.map((each) => `${prefix}:once:${each}`)];
      return Outcome.parse(
        await redis.eval(WRITE, keys.length, ...keys, id, entry, responseUrl, MOST, DAY_S, RESPONSE_URL_S),
      );
    },
    crossOff,
    async leftOver() {
      const entries: Entry[] = [];
      const unreadable: string[] = [];
      for (const [id, json] of Object.entries(await redis.hgetall(journal))) {
        const entry = Entry.safeParse(parseJson(json)).data;
        if (entry === undefined) unreadable.push(id);
        else if (entry.by !== by) entries.push(entry);
      }
      if (unreadable.length > 0) {
        log.warn({ ids: unreadable }, "what another version wrote down of these messages cannot be read");
        await crossOff(unreadable);
      }
      entries.sort((one, other) => one.at - other.at || one.turn - other.turn);
      return Promise.all(
        entries.map(async ({ heard, at }) => ({
          heard,
          at: new Date(at),
          responseUrl: (await redis.get(response(idOf(heard)))) ?? undefined,
        })),
      );
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
