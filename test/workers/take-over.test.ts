/** What becomes of a build whose worker is another the next time: gone on with by the same one, also by a newer version; else begun anew. */
import { join } from "node:path";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { z } from "zod";
import { openHeadquarters } from "../support/distant-worker.ts";
import { openSite } from "../support/docker-ci.ts";
import { commitFiles } from "../support/repository.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { startTlsRedis } from "../support/tls-redis.ts";
import { waitFor } from "../support/wait-for.ts";

const COUNTING = `
steps:
  - name: count
    image: docker-ci/base
    run: for i in $(seq 1 30); do echo out $i; sleep 0.15; done
`;
const TOKEN = "a-token-of-the-tests";

test("a newer version goes on with what an older one had begun, whose records lack what is new", async () => {
  await using repository = await temporaryFolder();
  await commitFiles(repository.path, { ".docker-ci.yml": COUNTING });
  await using site = await openSite(
    `web: { tokens: { tests: ${TOKEN} } }\nprojects: { count: { repo: ${repository.path}, network: none } }`,
  );
  const older = await site.start();
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
  await fetch(`${site.url}/api/builds`, { method: "POST", headers, body: JSON.stringify({ project: "count" }) });
  const log = async () => (await fetch(`${site.url}/builds/1/log`)).text();
  await waitFor("line 5", async () => (await log()).includes("out 5\n"), { timeoutMs: 60_000 });
  await older.kill();

  // As a version from before these keys would have left it.
  const redis = new Redis({ path: join(site.folder, "data", "redis", "redis.sock") });
  const Record = z.looseObject({ ranOn: z.unknown() });
  const { ranOn, ...rest } = Record.parse(JSON.parse((await redis.hget("docker-ci:build:1", "json")) ?? "{}"));
  expect(ranOn).toMatchObject({ instance: await site.instance() });
  await redis.hset("docker-ci:build:1", "json", JSON.stringify(rest));
  await redis.del("docker-ci:schema", "docker-ci:workers:protocol");
  redis.disconnect();

  await site.start();
  await waitFor("it to pass", async () => (await log()).includes("── passed"), { timeoutMs: 60_000 });
  const text = await log();
  expect(text.match(/^out \d+$/gm)).toEqual(Array.from({ length: 30 }, (_, index) => `out ${index + 1}`));
  expect(text).toContain("── attempt 2: going on after the worker was lost");
});

test("a pipeline asks for more than the bot's own worker has: it waits, says so, and runs on one that has it", async () => {
  await using redis = await startTlsRedis();
  await using repository = await temporaryFolder();
  await commitFiles(repository.path, { ".docker-ci.yml": `labels: big\n${COUNTING.replace("0.15", "0")}` });
  await using bot = await openHeadquarters(redis, `{ count: { repo: ${repository.path}, network: none } }`);
  await bot.site.start();
  const number = await bot.build("count");
  const waiting = await waitFor(
    "it to wait for another",
    async () => {
      const Queue = z.object({ queued: z.array(z.object({ waitsFor: z.unknown() })) });
      const [build] = Queue.parse(await (await fetch(`${bot.site.url}/api/queue`)).json()).queued;
      return build?.waitsFor;
    },
    { timeoutMs: 60_000 },
  );
  expect(waiting).toEqual({ kind: "worker", labels: ["big"] });
  const place = await bot.worker("big-1", await bot.token("big-1"), "labels: [big]");
  place.run(["worker"]);
  expect(await bot.over(number)).toMatchObject({ state: "passed" });
  const text = await (await bot.log(number)).text();
  expect(text).toMatch(/^── attempt 2: begins anew on big-1, as \S+ lacked big$/m);
  expect(text.match(/^── count #1 /gm)).toHaveLength(1);
  expect(text.match(/^out \d+$/gm)).toHaveLength(30);
});
