/** What hipache and Traefik are told, in a real Redis (O-147 to O-151, O-180). */
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { isDomain } from "../../dcr/gateways/domain.ts";
import { register, replace, rollBack, unregister, unregisterAll } from "../../dcr/gateways/frontend.ts";
import { change, type Gateway } from "../../dcr/gateways/gateway.ts";
import { openHipache } from "../../dcr/gateways/hipache.ts";
import { parseRedisAddress, type RedisAddress } from "../../dcr/gateways/redis-address.ts";
import { openTraefik } from "../../dcr/gateways/traefik.ts";
import { type ForeignRedis, startForeignRedis } from "../support/redis.ts";

const DOMAIN = "ci.my-site.example.org";
const ONE = { release: "web-1", backends: ["http://10.0.0.1:4001", "http://10.0.0.2:4001"] };
const TWO = { release: "web-2", backends: ["http://10.0.0.1:4002", "http://10.0.0.2:4002"] };

let server: ForeignRedis;
let redis: Redis;
let address: RedisAddress;

beforeAll(async () => {
  server = await startForeignRedis([]);
  redis = new Redis(server.url);
  const { host } = new URL(server.url);
  const parsed = parseRedisAddress(host);
  if (parsed === undefined) throw new Error("no address");
  address = parsed;
});

afterAll(async () => {
  redis.disconnect();
  await server[Symbol.asyncDispose]();
});

beforeEach(async () => {
  await redis.flushall();
});

const OPTIONS = { root: "traefik", entrypoints: ["web", "websecure"], tls: true, certresolver: "le" };
const opened = {
  hipache: () => openHipache(address),
  traefik: () => openTraefik(address, OPTIONS),
};

describe.each(["hipache", "traefik"] as const)("%s", (kind) => {
  let gateway: Gateway;

  beforeAll(async () => {
    gateway = await opened[kind]();
  });

  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
  });

  const backends = async () => (await gateway.read(DOMAIN)).frontend.backends;

  test("registers each backend once, behind what is there", async () => {
    for (const registration of [ONE, ONE, TWO]) await change(gateway, DOMAIN, (state) => register(state, registration));
    expect((await gateway.read(DOMAIN)).frontend).toEqual({
      identifier: "web-1",
      backends: [...ONE.backends, ...TWO.backends],
    });
  });

  test("takes out what was recorded, though nobody knows the container's port any more (O-180)", async () => {
    for (const registration of [ONE, TWO]) await change(gateway, DOMAIN, (state) => register(state, registration));
    await change(gateway, DOMAIN, (state) => unregister(state, { release: "web-1", backends: [] }, DOMAIN));
    expect(await backends()).toEqual(TWO.backends);
    const again = change(gateway, DOMAIN, (state) => unregister(state, { release: "web-1", backends: [] }, DOMAIN));
    await expect(again).rejects.toThrow(`web-1 is not registered for ${DOMAIN}.`);
  });

  test("refuses to take something from a domain without backends (O-148)", async () => {
    await expect(change(gateway, DOMAIN, (state) => unregister(state, ONE, DOMAIN))).rejects.toThrow("has no backends");
    await expect(change(gateway, DOMAIN, (state) => unregisterAll(state, DOMAIN))).rejects.toThrow("has no backends");
  });

  test("leaves the identifier when all is taken out (O-149)", async () => {
    await change(gateway, DOMAIN, (state) => register(state, ONE));
    await change(gateway, DOMAIN, (state) => unregisterAll(state, DOMAIN));
    expect((await gateway.read(DOMAIN)).frontend).toEqual({ identifier: "web-1", backends: [] });
  });

  test("switches, rolls back, and forward again (O-150)", async () => {
    await change(gateway, DOMAIN, (state) => register(state, ONE));
    await change(gateway, DOMAIN, (state) => replace(state, TWO));
    expect((await gateway.read(DOMAIN)).frontend).toEqual({ identifier: "web-2", backends: TWO.backends });
    await change(gateway, DOMAIN, (state) => rollBack(state, DOMAIN));
    expect((await gateway.read(DOMAIN)).frontend).toEqual({ identifier: "web-1", backends: ONE.backends });
    await change(gateway, DOMAIN, (state) => unregister(state, { release: "web-1", backends: [] }, DOMAIN));
    await change(gateway, DOMAIN, (state) => rollBack(state, DOMAIN));
    expect(await backends()).toEqual(ONE.backends);
  });

  test("has nothing to roll back to before there was anything", async () => {
    await change(gateway, DOMAIN, (state) => register(state, ONE));
    await expect(change(gateway, DOMAIN, (state) => rollBack(state, DOMAIN))).rejects.toThrow("no earlier list");
  });

  test("does not write over what somebody else has changed meanwhile", async () => {
    const before = await gateway.read(DOMAIN);
    await change(gateway, DOMAIN, (state) => register(state, ONE));
    expect(await gateway.commit(DOMAIN, before, register(before, TWO))).toBe(false);
    expect(await backends()).toEqual(ONE.backends);
  });

  test("keeps every one of twenty registrations at once", async () => {
    const urls = Array.from({ length: 20 }, (_, index) => `http://10.0.1.${index}:80`);
    await Promise.all(
      urls.map((url) => change(gateway, DOMAIN, (state) => register(state, { release: url, backends: [url] }))),
    );
    expect([...(await backends())].sort()).toEqual([...urls].sort());
  });

  test("nobody who looks sees a moment without backends during a switch (O-180)", async () => {
    await change(gateway, DOMAIN, (state) => register(state, ONE));
    await using reader = await opened[kind]();
    let switching = true;
    const looked = (async () => {
      const seen = new Set<string>();
      while (switching) seen.add((await reader.read(DOMAIN)).frontend.backends.join());
      return seen;
    })();
    for (let time = 0; time < 50; time += 1) {
      await change(gateway, DOMAIN, (state) => replace(state, time % 2 === 0 ? TWO : ONE));
    }
    switching = false;
    expect([...(await looked)].sort()).toEqual([ONE.backends.join(), TWO.backends.join()]);
  });
});

test("hipache's keys are the original's, and what was dead belongs to the list that is gone (O-147)", async () => {
  await using gateway = await openHipache(address);
  await change(gateway, DOMAIN, (state) => register(state, ONE));
  expect(await redis.lrange(`frontend:${DOMAIN}`, 0, -1)).toEqual(["web-1", ...ONE.backends]);
  await redis.sadd(`dead:${DOMAIN}`, "0");
  await change(gateway, DOMAIN, (state) => replace(state, TWO));
  expect(await redis.lrange(`frontend:${DOMAIN}`, 0, -1)).toEqual(["web-2", ...TWO.backends]);
  expect(await redis.exists(`dead:${DOMAIN}`)).toBe(0);
});

test("a list that the original has made is taken over", async () => {
  await using gateway = await openHipache(address);
  await redis.rpush(`frontend:${DOMAIN}`, "old", "http://10.0.0.9:80");
  await change(gateway, DOMAIN, (state) => register(state, ONE));
  expect(await redis.lrange(`frontend:${DOMAIN}`, 0, -1)).toEqual(["old", "http://10.0.0.9:80", ...ONE.backends]);
});

test("Traefik's keys are those of its Redis provider, and go with the last backend", async () => {
  await using gateway = await openTraefik(address, OPTIONS);
  await change(gateway, DOMAIN, (state) => register(state, ONE));
  const keys = async () => (await redis.keys("traefik/*")).sort();
  const name = "ci-my--site-example-org";
  const found = Object.fromEntries(await Promise.all((await keys()).map(async (key) => [key, await redis.get(key)])));
  expect(found).toEqual({
    [`traefik/http/routers/${name}/rule`]: `Host(\`${DOMAIN}\`)`,
    [`traefik/http/routers/${name}/service`]: name,
    [`traefik/http/routers/${name}/entrypoints/0`]: "web",
    [`traefik/http/routers/${name}/entrypoints/1`]: "websecure",
    [`traefik/http/routers/${name}/tls`]: "true",
    [`traefik/http/routers/${name}/tls/certresolver`]: "le",
    [`traefik/http/services/${name}/loadbalancer/servers/0/url`]: ONE.backends[0],
    [`traefik/http/services/${name}/loadbalancer/servers/1/url`]: ONE.backends[1],
  });
  await change(gateway, DOMAIN, (state) => unregisterAll(state, DOMAIN));
  expect(await keys()).toEqual([]);
});

test("both in one Redis do not meet", async () => {
  await using hipache = await openHipache(address);
  await using traefik = await openTraefik(address, OPTIONS);
  await change(hipache, DOMAIN, (state) => register(state, ONE));
  await change(traefik, DOMAIN, (state) => register(state, TWO));
  await change(hipache, DOMAIN, (state) => unregister(state, { release: "web-1", backends: [] }, DOMAIN));
  expect((await traefik.read(DOMAIN)).record.releases).toEqual({ "web-2": TWO.backends });
});

test("a gateway that is away is told by its address, without its password", async () => {
  const away = parseRedisAddress("redis://:hush@127.0.0.1:1/0");
  if (away === undefined) throw new Error("no address");
  await using gateway = await openHipache(away);
  const asked = gateway.read(DOMAIN);
  await expect(asked).rejects.toThrow(/^hipache redis:\/\/127\.0\.0\.1:1 does not answer \(.*ECONNREFUSED/);
  await expect(asked).rejects.not.toThrow(/hush/);
});

test.each([
  ["example.org", true],
  ["a-b.Example.org", true],
  ["localhost", true],
  ["", false],
  ["a..b", false],
  ["-a.b", false],
  ["a_b.c", false],
  ["a.b/`", false],
])("%j is a domain: %j (O-152)", (text, expected) => {
  expect(isDomain(text)).toBe(expected);
});
