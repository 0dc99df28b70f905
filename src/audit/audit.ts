/**
 * The audit log: who did what, when and from where, and with which outcome. Append-only: every entry holds the hash of the one
 * before it, so that none can be changed, taken out, slipped in or moved without the chain showing it, and a head beside the
 * list shows when the newest are missing. Whoever may write to Redis can still forge the whole chain anew; that is why the
 * program's log repeats each entry's number and hash, and why `docker-ci audit verify` says the newest.
 */
import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import { z } from "zod";
import type { Clock } from "../clock.ts";
import { Act, Entry, hashOf, NO_ENTRY } from "./entry.ts";
import { type Verdict, verifyChain } from "./verify.ts";

export const AUDIT_LIST = "docker-ci:audit";
/** `<n> <hash>` of the newest entry. */
export const AUDIT_HEAD = "docker-ci:audit:head";

/** A longer detail is cut: it is a note, not the log. */
const DETAIL_LENGTH = 300;

/**
 * KEYS: list, head. ARGV: the head it is chained to, the entry, the new head, the entry's index.
 * Returns the head it found, or the new one when the entry stands in its place: also when a connection broke and the same
 * call was sent twice.
 */
const APPEND = `
local head = redis.call('GET', KEYS[2]) or ''
if head == ARGV[1] then
  redis.call('RPUSH', KEYS[1], ARGV[2])
  redis.call('SET', KEYS[2], ARGV[3])
  return ARGV[3]
end
if redis.call('LINDEX', KEYS[1], ARGV[4]) == ARGV[2] then return ARGV[3] end
return head
`;

export interface Audit {
  /** Resolves when the entry is in the chain. @throws when Redis does not answer. */
  record(act: Act): Promise<Entry>;
  /** The newest entries, newest first; with `before`, those with smaller numbers. */
  latest(limit: number, before?: number): Promise<readonly Entry[]>;
  /** Walks the whole chain; entries may be added meanwhile. */
  verify(): Promise<Verdict>;
}

/** Keeps nothing but what it can read again: any number of them, in any number of processes, write one chain. */
export function createAudit(redis: Redis, clock: Clock): Audit {
  let known = "";

  return {
    async record(act) {
      const { detail, ...rest } = Act.parse(act);
      const content = { ...rest, detail: cut(detail), id: randomBytes(8).toString("hex") };
      // Each round that fails is one in which somebody else's entry went in.
      for (;;) {
        const [count, previous] = readHead(known);
        const draft = { ...content, n: count + 1, at: clock.now().toISOString(), previous };
        const entry: Entry = { ...draft, hash: hashOf(draft) };
        const next = `${entry.n} ${entry.hash}`;
        const found = z
          .string()
          .parse(await redis.eval(APPEND, 2, AUDIT_LIST, AUDIT_HEAD, known, JSON.stringify(entry), next, count));
        known = found;
        if (found === next) return entry;
      }
    },

    async latest(limit, before) {
      // Number n stands at n - 1, and what is below 0 would be counted from the end.
      const last = before === undefined ? -1 : before - 2;
      if (before !== undefined && last < 0) return [];
      const first = before === undefined ? -limit : Math.max(0, last - limit + 1);
      const json = await redis.lrange(AUDIT_LIST, first, last);
      return json.map((text) => Entry.parse(JSON.parse(text))).toReversed();
    },

    verify: () =>
      verifyChain({
        read: (from, count) => redis.lrange(AUDIT_LIST, from, from + count - 1),
        head: async () => readHead((await redis.get(AUDIT_HEAD)) ?? ""),
      }),
  };
}

function readHead(text: string): readonly [count: number, hash: string] {
  const [, count, hash] = /^(\d+) ([0-9a-f]{64})$/.exec(text) ?? [];
  return count === undefined || hash === undefined ? [0, NO_ENTRY] : [Number(count), hash];
}

function cut(text: string): string {
  const characters = [...text];
  return characters.length <= DETAIL_LENGTH ? text : `${characters.slice(0, DETAIL_LENGTH - 1).join("")}…`;
}
