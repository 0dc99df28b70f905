/** hipache: a list `frontend:DOMAIN` in Redis, an identifier first, then the backends (O-147). */
import { z } from "zod";
import { Record, type State } from "./frontend.ts";
import type { Gateway } from "./gateway.ts";
import { openRedis } from "./redis.ts";
import { type RedisAddress, shownAddress } from "./redis-address.ts";

/**
 * One step for everybody who reads. `dead:DOMAIN` holds places in the old list that hipache leaves out for a while; in the new
 * one they belong to others.
 * KEYS: list, dead, record. ARGV: record as expected, record next, how many entries are expected, these, then the next.
 */
const COMMIT = `
local entries = redis.call('LRANGE', KEYS[1], 0, -1)
local count = tonumber(ARGV[3])
if #entries ~= count then return 0 end
for place = 1, count do
  if entries[place] ~= ARGV[3 + place] then return 0 end
end
if (redis.call('GET', KEYS[3]) or '') ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1], KEYS[2])
for place = 4 + count, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[place]) end
if ARGV[2] == '' then redis.call('DEL', KEYS[3]) else redis.call('SET', KEYS[3], ARGV[2]) end
return 1
`;

const READ = `return { redis.call('LRANGE', KEYS[1], 0, -1), redis.call('GET', KEYS[2]) or '' }`;
const Read = z.tuple([z.array(z.string()), z.string()]);

export async function openHipache(address: RedisAddress): Promise<Gateway> {
  const name = `hipache ${shownAddress(address)}`;
  const redis = await openRedis(address, name);
  return {
    name,
    async read(domain) {
      const { list, record } = keys(domain);
      const [entries, text] = Read.parse(await redis.ask((client) => client.eval(READ, 2, list, record)));
      const [identifier, ...backends] = entries;
      return { frontend: { identifier, backends }, record: parseRecord(text) };
    },
    async commit(domain, expected, next) {
      const { list, dead, record } = keys(domain);
      const [before, after] = [entriesOf(expected), entriesOf(next)];
      const done = await redis.ask((client) =>
        client.eval(
          COMMIT,
          3,
          list,
          dead,
          record,
          recordText(expected.record),
          recordText(next.record),
          before.length,
          ...before,
          ...after,
        ),
      );
      return done === 1;
    },
    [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
  };
}

function keys(domain: string): { list: string; dead: string; record: string } {
  return { list: `frontend:${domain}`, dead: `dead:${domain}`, record: recordKey("hipache", domain) };
}

/** Where `dcr` keeps what a gateway's own keys do not say; two gateways may share one Redis. */
export function recordKey(gateway: string, domain: string): string {
  return `dcr:${gateway}:${domain}`;
}

function entriesOf({ frontend: { identifier, backends } }: State): string[] {
  return identifier === undefined ? [] : [identifier, ...backends];
}

/** What somebody else wrote there, or nobody did, is no record. */
export function parseRecord(text: string): Record {
  if (text === "") return Record.parse({});
  try {
    return Record.parse(JSON.parse(text));
  } catch (error) {
    throw new Error("the record of dcr's registrations cannot be read", { cause: error });
  }
}

/** The empty record is none, and a record is always written in the same order. */
export function recordText({ releases, previous }: Record): string {
  if (Object.keys(releases).length === 0 && previous === undefined) return "";
  return JSON.stringify(previous === undefined ? { releases } : { releases, previous });
}
