/** Traefik's Redis provider: a router and a service for each domain, a key for each backend. */
import { z } from "zod";
import type { TraefikOptions } from "../settings.ts";
import type { State } from "./frontend.ts";
import type { Gateway } from "./gateway.ts";
import { parseRecord, recordKey, recordText } from "./hipache.ts";
import { openRedis } from "./redis.ts";
import { type RedisAddress, shownAddress } from "./redis-address.ts";

/**
 * KEYS: record. ARGV: beginning of the backends' keys, of the router's keys. Traefik's own keys do not hold an identifier, so
 * the record does.
 */
const READ = `
local backends = {}
while true do
  local url = redis.call('GET', ARGV[1] .. #backends .. '/url')
  if not url then break end
  backends[#backends + 1] = url
end
return { backends, redis.call('GET', KEYS[1]) or '', redis.call('GET', KEYS[2]) or '' }
`;
const Read = z.tuple([z.array(z.string()), z.string(), z.string()]);

/**
 * One step for everybody who reads. Places are written over rather than removed and made again, because Traefik lists the keys
 * before it reads them.
 * KEYS: record, identifier. ARGV: record and identifier as expected, and next; beginning of the backends' keys; the router's
 * folder; how many backends are expected, these; how many next, these; then the router's keys and values.
 */
const COMMIT = `
local servers, router = ARGV[5], ARGV[6]
local count = tonumber(ARGV[7])
local nextCount = tonumber(ARGV[8 + count])
local first = 8 + count
for place = 0, count - 1 do
  if redis.call('GET', servers .. place .. '/url') ~= ARGV[8 + place] then return 0 end
end
if redis.call('EXISTS', servers .. count .. '/url') == 1 then return 0 end
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
if (redis.call('GET', KEYS[2]) or '') ~= ARGV[2] then return 0 end
for place = 0, nextCount - 1 do redis.call('SET', servers .. place .. '/url', ARGV[first + 1 + place]) end
for place = nextCount, count - 1 do redis.call('DEL', servers .. place .. '/url') end
for place = first + 1 + nextCount, #ARGV, 2 do
  if nextCount > 0 then redis.call('SET', router .. ARGV[place], ARGV[place + 1])
  else redis.call('DEL', router .. ARGV[place]) end
end
for place = 1, 2 do
  if ARGV[2 + place] == '' then redis.call('DEL', KEYS[place]) else redis.call('SET', KEYS[place], ARGV[2 + place]) end
end
return 1
`;

export async function openTraefik(address: RedisAddress, options: TraefikOptions): Promise<Gateway> {
  const name = `traefik ${shownAddress(address)}`;
  const redis = await openRedis(address, name);
  return {
    name,
    async read(domain) {
      const { servers } = places(domain, options);
      const answer = await redis.ask((client) => client.eval(READ, 2, ...keys(domain, options), servers));
      const [backends, record, identifier] = Read.parse(answer);
      return {
        frontend: { identifier: identifier === "" ? undefined : identifier, backends },
        record: parseRecord(record),
      };
    },
    async commit(domain, expected, next) {
      const { servers, router } = places(domain, options);
      const [before, after] = [expected.frontend.backends, next.frontend.backends];
      const done = await redis.ask((client) =>
        client.eval(
          COMMIT,
          2,
          ...keys(domain, options),
          recordText(expected.record),
          identifierOf(expected),
          recordText(next.record),
          identifierOf(next),
          servers,
          router,
          before.length,
          ...before,
          after.length,
          ...after,
          ...Object.entries(routerKeys(domain, options)).flat(),
        ),
      );
      return done === 1;
    },
    [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
  };
}

function keys(domain: string, { root }: TraefikOptions): [string, string] {
  const record = recordKey(root, domain);
  return [record, `${record}:identifier`];
}

function identifierOf({ frontend }: State): string {
  return frontend.identifier ?? "";
}

/** Names in keys are told apart by slashes and may hold no `@`; dots are taken for steps of a path in some places. */
function serviceName(domain: string): string {
  return domain.replaceAll("-", "--").replaceAll(".", "-");
}

function places(domain: string, { root }: TraefikOptions): { servers: string; router: string } {
  const service = serviceName(domain);
  return {
    servers: `${root}/http/services/${service}/loadbalancer/servers/`,
    router: `${root}/http/routers/${service}/`,
  };
}

function routerKeys(domain: string, { entrypoints, tls, certresolver }: TraefikOptions): Record<string, string> {
  return {
    rule: `Host(\`${domain}\`)`,
    service: serviceName(domain),
    ...Object.fromEntries(entrypoints.map((entrypoint, index) => [`entrypoints/${index}`, entrypoint])),
    ...(tls ? { tls: "true" } : {}),
    ...(certresolver === undefined ? {} : { "tls/certresolver": certresolver }),
  };
}
