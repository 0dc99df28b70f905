/** A new release in place of the old one, under requests through a gateway (O-150, O-180). */
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { openAskers } from "../support/askers.ts";
import { openHipacheProxy } from "../support/hipache-proxy.ts";
import { startForeignRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait-for.ts";
import { type DcrCorner, idleApplication, LOCAL, openDcrCorner, webApplication } from "./dcr-corner.ts";

const DOMAIN = "ci.example.org";

interface Scene extends AsyncDisposable {
  readonly corner: DcrCorner;
  readonly redis: Redis;
  readonly proxyPort: number;
  list(): Promise<string[]>;
}

/** The first release runs and answers for the domain. */
async function openScene(changes: object = {}): Promise<Scene> {
  const corner = await openDcrCorner();
  const server = await startForeignRedis([]);
  const redis = new Redis(server.url);
  const proxy = await openHipacheProxy(server.url);
  await corner.write("settings.yml", {
    default: { daemons: [LOCAL], hipaches: [new URL(server.url).host], ...changes },
  });
  await corner.write("one.yml", { web: webApplication(corner.name("one"), "one") });
  await corner.run(["one.yml", "start"]);
  await corner.run(["one.yml", "register", DOMAIN]);
  return {
    corner,
    redis,
    proxyPort: proxy.port,
    list: () => redis.lrange(`frontend:${DOMAIN}`, 0, -1),
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      redis.disconnect();
      await server[Symbol.asyncDispose]();
      await corner[Symbol.asyncDispose]();
    },
  };
}

test.concurrent("no request fails while a domain is switched to the next release, and back", async () => {
  await using scene = await openScene();
  const { corner } = scene;
  await corner.write("two.yml", { web: webApplication(corner.name("two"), "two") });
  const client = openAskers(scene.proxyPort, { host: DOMAIN });
  await waitFor("an answer", () => client.answers.includes("one"));

  const switched = await corner.run(["two.yml", "switch", DOMAIN, "--watch", "500ms"]);
  expect([switched.code, switched.output]).toEqual([0, expect.stringContaining(`switched to ${corner.name("two")}`)]);
  await waitFor("the second release", () => client.answers.at(-1) === "two");
  expect((await scene.list())[0]).toBe(corner.name("two"));

  const back = await corner.run(["two.yml", "rollback", DOMAIN]);
  expect([back.code, back.output]).toEqual([0, expect.stringContaining(`rolled back to ${corner.name("one")}`)]);
  await waitFor("the first release", () => client.answers.at(-1) === "one");
  await client.stop();
  expect(client.answers.length).toBeGreaterThan(50);
  expect([...new Set(client.answers)].sort()).toEqual(["one", "two"]);
});

// O-144: the wait for health, which start shares
test.concurrent("a release that does not become healthy is not switched to, and does not run on", async () => {
  await using scene = await openScene();
  const { corner } = scene;
  const before = await scene.list();
  const command = [
    "node",
    "-e",
    "require('node:http').createServer((q, r) => { r.statusCode = 503; r.end(); }).listen(8000)",
  ];
  await corner.write("two.yml", {
    web: webApplication(corner.name("two"), "two", { command, health_timeout: "8s", init: true }),
  });
  const { code, all } = await corner.run(["two.yml", "switch", DOMAIN]);
  expect(code).toBe(1);
  expect(all).toMatch(/-two answers 503 at port \d+\/ \(waited 8\.0s\)/);
  expect(all).toContain(`${DOMAIN}: as before, nothing was switched.`);
  expect(await scene.list()).toEqual(before);
  const { State } = await corner.docker.getContainer(corner.name("two")).inspect();
  expect(State.Running).toBe(false);
});

test.concurrent("its own health check counts too", async () => {
  await using scene = await openScene();
  const { corner } = scene;
  const image = `${corner.name("image")}:latest`;
  await corner.docker.getContainer(corner.name("one")).commit({
    repo: corner.name("image"),
    changes: "HEALTHCHECK --interval=1s --timeout=2s --retries=1 CMD false",
  });
  try {
    await corner.write("two.yml", { web: webApplication(corner.name("two"), "two", { image }) });
    const { code, output } = await corner.run(["two.yml", "switch", DOMAIN]);
    expect([code, output]).toEqual([1, expect.stringContaining("is unhealthy: its health check fails")]);
    expect((await scene.list())[0]).toBe(corner.name("one"));
  } finally {
    // Either may be missing where the test has failed.
    await Promise.allSettled([corner.docker.getContainer(corner.name("two")).remove({ force: true })]);
    await Promise.allSettled([corner.docker.getImage(image).remove({ force: true })]);
  }
});

test.concurrent("a release that breaks after the switch is taken back, and no request finds nobody", async () => {
  await using scene = await openScene();
  const { corner } = scene;
  const before = await scene.list();
  await corner.write("two.yml", { web: webApplication(corner.name("two"), "two") });
  const client = openAskers(scene.proxyPort, { host: DOMAIN });
  const switching = corner.run(["two.yml", "switch", DOMAIN, "--watch", "30s"]);
  const [, backend = ""] = await waitFor("the switch", async () => {
    const list = await scene.list();
    return list[0] === corner.name("two") && list;
  });
  await waitFor("its answer", () => client.answers.includes("two"));
  await fetch(`${backend}/break`);
  const { code, errors } = await switching;
  expect([code, errors]).toEqual([1, expect.stringMatching(/gone back to what was there: .*-two answers 500 at port/)]);
  expect(await scene.list()).toEqual(before);
  const { State } = await corner.docker.getContainer(corner.name("two")).inspect();
  expect(State.Running).toBe(false);
  await client.stop();
  // What the broken release said itself is all that went wrong.
  expect([...new Set(client.answers)].sort()).toEqual(["one", "status 500", "two"]);
});

test.concurrent("a release that fails at its first request is taken back", async () => {
  await using scene = await openScene();
  const { corner } = scene;
  const before = await scene.list();
  const changes = { first_request: "/break", health_timeout: "2s" };
  await corner.write("two.yml", { web: webApplication(corner.name("two"), "two", changes) });
  const { code, errors } = await corner.run(["two.yml", "switch", DOMAIN, "--watch", "1ms"]);
  expect([code, errors]).toEqual([
    1,
    expect.stringMatching(/gone back to what was there: http:\S+ answers 500 at port \d+\/break \(waited 2\.0s\)/),
  ]);
  expect(await scene.list()).toEqual(before);
});

test.concurrent("a release that the Engine starts again is still where gateways look for it", async () => {
  await using scene = await openScene();
  const { corner } = scene;
  await corner.docker.getContainer(corner.name("one")).restart({ t: 1 });
  const url = (await scene.list())[1] ?? "";
  await waitFor("its answer", async () => (await (await fetch(url)).text()) === "one");
});

test.concurrent("what does not answer is not rolled back to, unless somebody insists", async () => {
  await using scene = await openScene();
  const { corner } = scene;
  await corner.write("two.yml", { web: webApplication(corner.name("two"), "two") });
  await corner.run(["two.yml", "switch", DOMAIN, "--watch", "1ms"]);
  await corner.run(["one.yml", "stop"]);
  const refused = await corner.run(["two.yml", "rollback", DOMAIN]);
  expect([refused.code, refused.output]).toEqual([1, expect.stringContaining("the earlier backends do not answer")]);
  expect((await scene.list())[0]).toBe(corner.name("two"));
  expect((await corner.run(["two.yml", "rollback", DOMAIN, "--force"])).code).toBe(0);
  expect((await scene.list())[0]).toBe(corner.name("one"));
});

test.concurrent("what fails at its first request is not rolled back to either", async () => {
  await using scene = await openScene();
  const { corner } = scene;
  await corner.write("two.yml", { web: webApplication(corner.name("two"), "two") });
  await corner.run(["two.yml", "switch", DOMAIN, "--watch", "1ms"]);
  const before = await scene.list();
  const changes = { first_request: "/break", health_timeout: "2s" };
  await corner.write("two.yml", { web: webApplication(corner.name("two"), "two", changes) });
  const { code, output } = await corner.run(["two.yml", "rollback", DOMAIN]);
  expect([code, output]).toEqual([1, expect.stringMatching(/failed: http:\S+ answers 500 .*; still at \S+-two/)]);
  expect(await scene.list()).toEqual(before);
});

test.concurrent("a domain that has no backends yet is switched to as well, at Traefik like at hipache", async () => {
  await using corner = await openDcrCorner();
  await using server = await startForeignRedis([]);
  const { host } = new URL(server.url);
  await corner.write("settings.yml", { default: { daemons: [LOCAL], hipaches: [host], traefiks: [host] } });
  await corner.write("one.yml", {
    web: webApplication(corner.name("one"), "one"),
    other: idleApplication(corner.name("db")),
  });
  const { code } = await corner.run(["one.yml", "switch", DOMAIN, "--watch", "1ms"]);
  const redis = new Redis(server.url);
  const [, backend] = await redis.lrange(`frontend:${DOMAIN}`, 0, -1);
  const url = await redis.get("traefik/http/services/ci-example-org/loadbalancer/servers/0/url");
  expect([code, url]).toEqual([0, backend]);
  redis.disconnect();
});

test.concurrent("a gateway that is away keeps the others as they were", async () => {
  await using scene = await openScene();
  const { corner } = scene;
  const before = await scene.list();
  const address = `${scene.redis.options.host}:${scene.redis.options.port}`;
  await corner.write("settings.yml", { default: { daemons: [LOCAL], hipaches: [address, "127.0.0.1:1"] } });
  await corner.write("two.yml", { web: webApplication(corner.name("two"), "two") });
  const { code, errors } = await corner.run(["two.yml", "switch", DOMAIN]);
  expect([code, errors]).toEqual([
    1,
    expect.stringMatching(/gone back to what was there: hipache 127\.0\.0\.1:1 does not answer \(.*ECONNREFUSED/),
  ]);
  expect(await scene.list()).toEqual(before);
});

test.concurrent("--recreate is not for what runs: it may be answering", async () => {
  await using scene = await openScene();
  const { corner } = scene;
  await corner.write("one.yml", { web: webApplication(corner.name("one"), "changed") });
  const { code, output } = await corner.run(["one.yml", "switch", DOMAIN, "--recreate"]);
  expect([code, output]).toEqual([1, expect.stringContaining("another release_name makes a second one\n")]);
  const { State } = await corner.docker.getContainer(corner.name("one")).inspect();
  expect(State.Running).toBe(true);
});

test.concurrent("a host that is away keeps the domain as it was, and what was started for it is stopped again", async () => {
  await using scene = await openScene();
  const { corner } = scene;
  const before = await scene.list();
  const address = `${scene.redis.options.host}:${scene.redis.options.port}`;
  const daemons = [LOCAL, { address: "unix:///nowhere.sock", name: "gone" }];
  await corner.write("settings.yml", { default: { daemons, hipaches: [address] } });
  await corner.write("two.yml", { web: webApplication(corner.name("two"), "two") });
  const { code, all } = await corner.run(["two.yml", "switch", DOMAIN]);
  expect([code, all]).toEqual([
    1,
    expect.stringMatching(/gone +\S+-two +failed: the Docker Engine at .* does not answer/),
  ]);
  expect(await scene.list()).toEqual(before);
  const { State } = await corner.docker.getContainer(corner.name("two")).inspect();
  expect(State.Running).toBe(false);
});

test.concurrent("Ctrl-C while a switch is watched takes it back", async () => {
  await using scene = await openScene();
  const { corner } = scene;
  const before = await scene.list();
  await corner.write("two.yml", { web: webApplication(corner.name("two"), "two") });
  const leave = new AbortController();
  const switching = corner.run(["two.yml", "switch", DOMAIN, "--watch", "30s"], { signal: leave.signal });
  await waitFor("the switch", async () => (await scene.list())[0] === corner.name("two"));
  leave.abort();
  expect((await switching).code).toBe(130);
  expect(await scene.list()).toEqual(before);
});
