/** A worker on another machine: over TLS, with the rights of `docker-ci redis-acl`, and nothing beyond them. */
import { describe, expect, test } from "vitest";
import { redisAcl } from "../../src/command-line/redis-acl.ts";
import { openHeadquarters } from "../support/distant-worker.ts";
import { commitFiles } from "../support/repository.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { startTlsRedis, WORKER_PASSWORD } from "../support/tls-redis.ts";
import { waitFor } from "../support/wait-for.ts";

const PIPELINE = `
steps:
  - name: tests
    image: docker-ci/base
    run: |
      mkdir out
      echo '<testsuite><testcase name="a"/><testcase name="b"/></testsuite>' > out/junit.xml
      printf 'TN:\\nSF:a.js\\nDA:1,1\\nDA:2,0\\nend_of_record\\n' > out/lcov.info
      echo hello > out/hello.txt
    tests: out/junit.xml
    coverage: out/lcov.info
    artifacts: [out/hello.txt]
`;

describe("with those rights", () => {
  test("a whole build runs elsewhere, and its log, reports and artifacts are on the bot's page", async () => {
    await using redis = await startTlsRedis();
    await using repository = await temporaryFolder();
    await commitFiles(repository.path, { ".docker-ci.yml": PIPELINE, "a.js": "1\n2\n" });
    await using bot = await openHeadquarters(redis, `{ hello: { repo: ${repository.path} } }`);
    const main = bot.site.run(["start", "--no-worker"]);
    await waitFor("the page", async () => (await fetch(`${bot.site.url}/healthz`)).ok, { seen: () => main.stdout() });
    const place = await bot.worker("big-1", await bot.token("big-1"), "labels: [big]");
    const worker = place.run(["worker"]);
    const number = await bot.build("hello");
    const build = await bot.over(number);
    expect(build, worker.stdout()).toMatchObject({ state: "passed", tests: { total: 2, failed: 0 } });
    const log = await bot.log(number);
    expect(await log.text()).toMatch(/hello #1.*\n[\s\S]*passed in/);
    expect(await (await fetch(`${bot.site.url}/artifacts/${number}/out/hello.txt`)).text()).toBe("hello\n");
    await waitFor("the pages of coverage", async () => (await fetch(`${bot.site.url}/coverage/hello/${number}/`)).ok);
    const workers = await (await fetch(`${bot.site.url}/api/workers`)).json();
    expect(workers).toMatchObject({ workers: [{ name: "big-1", labels: expect.arrayContaining(["big"]) }] });

    const again = await bot.build("hello");
    expect(await bot.over(again)).toMatchObject({ state: "passed", comparison: { against: number, stillFailing: 0 } });
    expect((await worker.stop()).status).toBe(0);
    expect(await redis.refusals()).toEqual([]);
  });

  const refused: readonly (readonly [what: string, ...command: readonly string[]])[] = [
    ["reading the audit log", "LRANGE", "docker-ci:audit", "0", "-1"],
    ["writing into it", "RPUSH", "docker-ci:audit", "{}"],
    ["moving its head", "SET", "docker-ci:audit:head", "1 x"],
    ["reading people's links", "HGETALL", "docker-ci:links"],
    ["making one", "HSET", "docker-ci:links", "a", "b"],
    ["reading a code for one", "GET", "docker-ci:links:code:x"],
    ["the key of the page's forms", "GET", "docker-ci:web:form-key"],
    ["what people did on the page", "GET", "docker-ci:web:once:x"],
    ["reading a release", "HGETALL", "docker-ci:release:1"],
    ["voting for one", "HSET", "docker-ci:release:1", "json", "{}"],
    ["the releases", "ZADD", "docker-ci:releases", "1", "1"],
    ["reading what waits to be said", "LRANGE", "docker-ci:outbox:room:libera/#dev", "0", "-1"],
    ["taking it away", "DEL", "docker-ci:outbox:room:libera/#dev", "docker-ci:outbox:trouble"],
    ["the tokens of workers", "HGETALL", "docker-ci:worker-tokens"],
    ["making one of them", "HSET", "docker-ci:worker-tokens", "me", "{}"],
    ["what Slack sent", "HGETALL", "docker-ci:slack:work:journal"],
    ["what forges sent", "HGETALL", "docker-ci:hooks:journal"],
    ["who subscribed", "HGETALL", "docker-ci:subscriptions"],
    ["the incidents", "HGETALL", "docker-ci:branches"],
    ["undraining itself", "HDEL", "docker-ci:workers:draining", "me"],
    ["speaking for the bot", "SET", "docker-ci:workers:protocol", "9"],
    ["letting go what is held", "HDEL", "docker-ci:paused", "*"],
    ["ending a quarantine", "HDEL", "docker-ci:quarantine", "x"],
    ["the next build's number", "SET", "docker-ci:builds:next", "1"],
    ["any key of somebody else's", "GET", "other"],
    ["the names of keys", "SCAN", "0"],
    ["all keys", "KEYS", "*"],
    ["the configuration", "CONFIG", "GET", "*"],
    ["the users", "ACL", "LIST"],
    ["everything gone", "FLUSHALL"],
    ["watching others", "MONITOR"],
    ["throwing others out", "CLIENT", "KILL", "TYPE", "normal"],
    ["another channel", "PUBLISH", "docker-ci:releases:changed", "1"],
    ["a script that does it for them", "EVAL", "return redis.call('GET', 'docker-ci:web:form-key')", "0"],
  ];
  test("nothing else is allowed", async () => {
    await using redis = await startTlsRedis();
    const worker = redis.connect("worker");
    for (const [what, command = "", ...given] of refused) {
      await expect(worker.call(command, ...given), what).rejects.toThrow(
        /NOPERM|No permissions|can't access|ACL failure/,
      );
    }
    await expect(redis.connect("worker").ping()).resolves.toBe("PONG");
  });
});

// O-176: one password, which is given, and no short one
describe("docker-ci redis-acl", () => {
  test("prints a command, or a line of an aclfile, with the password's hash alone (O-12)", () => {
    const said: string[] = [];
    redisAcl(WORKER_PASSWORD, false, (text) => said.push(text));
    redisAcl(WORKER_PASSWORD, true, (text) => said.push(text));
    expect(said[0]).toMatch(/^ACL SETUSER buildworker reset on #[0-9a-f]{64} ~docker-ci:bull:\* .*\n$/);
    expect(said[1]).toMatch(/^user buildworker reset on #[0-9a-f]{64} /);
    expect(said.join()).not.toContain(WORKER_PASSWORD);
    expect(() => redisAcl(undefined, false, () => undefined)).toThrow(/BUILDBOT_PWD: is not set/);
    expect(() => redisAcl("short", false, () => undefined)).toThrow(/BUILDBOT_PWD: has 5 characters/);
  });
});
