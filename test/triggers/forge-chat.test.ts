/** Commits and pull requests are told what became of them, whatever the forge does meanwhile. */
import { describe, expect, test } from "vitest";
import { forgeApis } from "../../adapters/forge/apis.ts";
import type { Build, BuildState, FinalState } from "../../src/builds/build.ts";
import { type BuildChanges, createBuildStore } from "../../src/builds/store.ts";
import { GitRef, ProjectName, Sha } from "../../src/names.ts";
import { startOutbox } from "../../src/queue/outbox.ts";
import { readOutbox } from "../../src/queue/outbox-rooms.ts";
import { openForgeChat } from "../../src/triggers/forge-chat.ts";
import { statusEntries } from "../../src/triggers/statuses.ts";
import { BAD_GATEWAY, FORGE_TOKEN, type ForgeServer, limitReached, startForge } from "../support/forge-server.ts";
import { ADA, ago, clock, configOf, revisionOf } from "../support/records.ts";
import { openRedis, type TestRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait-for.ts";

const PROJECT = `
url: https://ci.example.org
projects:
  docker-registry: { repo: https://github.com/distribution/distribution }
  hello: { repo: /repositories/hello }
`;
const github = ({ url }: ForgeServer, more = ""): string =>
  `github: { token: ${FORGE_TOKEN}, api_url: "${url}"${more} }${PROJECT}`;

const PASSED: FinalState = { kind: "passed", startedAt: ago(178), finishedAt: ago(0) };
const RUNNING: BuildState = { kind: "running", startedAt: ago(178), worker: "big-1" };

function pullRequest(digit: string): Partial<Build> {
  const base = Sha.parse("1".repeat(40));
  return { revision: revisionOf(digit, { kind: "pull_request", pullRequest: { number: 12, base } }) };
}

/** Build records whose changes are put up for the forge, and nobody who delivers yet. */
function open({ redis, log }: TestRedis, text: string) {
  const config = configOf(text);
  const store = createBuildStore(redis.commands, log, statusEntries(config, clock));
  const must = (build: Build | undefined): Build => {
    if (build === undefined) throw new Error("somebody else was quicker");
    return build;
  };
  return {
    create: (changes: Partial<Build> = {}): Promise<Build> =>
      store.create({
        project: ProjectName.parse("docker-registry"),
        ref: GitRef.parse("main"),
        revision: revisionOf("0"),
        requester: ADA,
        params: {},
        requestedAt: ago(600),
        ...changes,
      }),
    becomes: async (build: Build, state: BuildState, changes?: BuildChanges): Promise<Build> =>
      must(await store.transition(build, state, changes)),
    deliver() {
      const chat = openForgeChat({
        config,
        apis: forgeApis(config, "1.0.0"),
        redis: redis.commands,
        log,
        timing: { retryMinMs: 20, retryMaxMs: 100 },
        build: (number) => store.get(number),
      });
      const chats = new Map([[chat.network, chat]]);
      const outbox = startOutbox(redis.commands, redis.open, chats, log);
      return {
        chat,
        said: () => outbox.drained(chat.network, AbortSignal.timeout(20_000)),
        waiting: () => readOutbox(redis.commands, chats),
        async [Symbol.asyncDispose]() {
          await outbox[Symbol.asyncDispose]();
          await chat[Symbol.asyncDispose]();
        },
      };
    },
  };
}

const told = ({ statuses }: ForgeServer): string[] =>
  statuses.map(({ state, description }) => `${state}: ${description}`);
const writes = ({ calls }: ForgeServer): number => calls.filter((call) => !call.startsWith("GET")).length;

describe.each(["github", "gitea"] as const)("on %s", (kind) => {
  test("a commit is told of every step of its build, with a link to it", async () => {
    await using server = await openRedis();
    await using forge = await startForge(kind);
    const gitea = `gitea: [{ url: "${forge.url}", token: ${FORGE_TOKEN} }]
url: https://ci.example.org
projects: { docker-registry: { repo: /r, forge: "gitea:${forge.host}/distribution/distribution" } }`;
    const builds = open(server, kind === "github" ? github(forge) : gitea);
    await using delivery = builds.deliver();
    const queued = await builds.create();
    await forge.gets(1);
    const running = await builds.becomes(queued, RUNNING, { attempt: 1 });
    await forge.gets(2);
    await builds.becomes(running, PASSED);
    await delivery.said();
    expect(told(forge)).toEqual(["pending: #1 is queued", "pending: #1 runs", "success: passed in 2m58s"]);
    expect(forge.statuses[2]).toMatchObject({
      sha: "0".repeat(40),
      context: "docker-ci/docker-registry",
      target_url: "https://ci.example.org/builds/1",
    });
  });
});

test("a pull request's head is told, not what it was merged into", async () => {
  await using server = await openRedis();
  await using forge = await startForge();
  const builds = open(server, github(forge));
  await using delivery = builds.deliver();
  await builds.create(pullRequest("0"));
  await delivery.said();
  expect(forge.statuses.map(({ sha }) => sha)).toEqual(["0".repeat(40)]);
  expect(forge.comments).toEqual([]);
});

test("nothing is put up where there is no token, or no forge, or no commit yet", async () => {
  await using server = await openRedis();
  const tokenless = open(server, PROJECT);
  await tokenless.create();
  await using forge = await startForge();
  const builds = open(server, github(forge));
  await builds.create({ project: ProjectName.parse("hello") });
  const unknown = await builds.create({ revision: undefined });
  await using delivery = builds.deliver();
  expect((await delivery.waiting()).rooms).toEqual([]);
  await builds.becomes(unknown, RUNNING, { attempt: 1, revision: revisionOf("0") });
  await delivery.said();
  expect(told(forge)).toEqual(["pending: #3 runs"]);
});

describe("order", () => {
  test("of what piled up only how it is now is said", async () => {
    await using server = await openRedis();
    await using forge = await startForge();
    const builds = open(server, github(forge));
    const running = await builds.becomes(await builds.create(), RUNNING, { attempt: 1 });
    await builds.becomes(running, PASSED);
    await using delivery = builds.deliver();
    await delivery.said();
    expect(told(forge)).toEqual(["success: passed in 2m58s"]);
  });

  test("an older build that ends later does not take a newer one's place", async () => {
    await using server = await openRedis();
    await using forge = await startForge();
    const builds = open(server, github(forge));
    await using delivery = builds.deliver();
    const older = await builds.becomes(await builds.create(), RUNNING, { attempt: 1 });
    const newer = await builds.create();
    await delivery.said();
    const before = told(forge).at(-1);
    await builds.becomes(older, { ...PASSED, kind: "failed", reason: "step tests, exit 1" });
    await delivery.said();
    expect([before, told(forge).at(-1)]).toEqual(["pending: #2 is queued", "pending: #2 is queued"]);
    await builds.becomes(newer, { kind: "cancelled", finishedAt: ago(0), by: "ada" });
    await delivery.said();
    expect(told(forge).at(-1)).toBe("error: cancelled by ada");
  });

  test("what was said before a restart is not said again", async () => {
    await using server = await openRedis();
    await using forge = await startForge();
    const builds = open(server, github(forge));
    const queued = await builds.create();
    {
      await using delivery = builds.deliver();
      await delivery.said();
    }
    // Another attempt: the same state, put up again.
    const running = await builds.becomes(queued, RUNNING, { attempt: 1 });
    await builds.becomes(running, { kind: "queued" });
    await using delivery = builds.deliver();
    await delivery.said();
    expect(told(forge)).toEqual(["pending: #1 is queued"]);
  });
});

describe("a forge that does not take it", () => {
  test("502 and silence are sat out, and many commits do not knock all at once", async () => {
    await using server = await openRedis();
    await using forge = await startForge();
    const builds = open(server, github(forge));
    forge.fault = BAD_GATEWAY;
    const digits = [..."0123456789abcdef"];
    for (const digit of digits) {
      forge.shas.add(digit.repeat(40));
      await builds.create({ revision: revisionOf(digit) });
    }
    await using delivery = builds.deliver();
    await waitFor("that it is told", () => delivery.chat.state.kind === "away", { seen: () => forge.calls.length });
    const { rooms } = await delivery.waiting();
    expect(rooms[0]).toMatchObject({
      network: "forge",
      stuck: true,
      reason: expect.stringMatching(/does not work now \(502\)/),
    });
    expect(rooms[0]?.room).toMatch(/^github\/distribution\/distribution\/commit\/.{40}$/);
    forge.fault = undefined;
    await delivery.said();
    expect(new Set(forge.statuses.map(({ sha }) => sha)).size).toBe(digits.length);
    expect(forge.atOnce()).toBe(1);
    expect(delivery.chat.state.kind).toBe("connected");
  });

  test("a limit is obeyed: no call before it is over, and then all that waits", async () => {
    await using server = await openRedis();
    await using forge = await startForge();
    const builds = open(server, github(forge));
    const until = new Date(Math.ceil(Date.now() / 1000) * 1000 + 2_000);
    forge.fault = limitReached(until);
    const running = await builds.becomes(await builds.create(), RUNNING, { attempt: 1 });
    await builds.create({ revision: revisionOf("1") });
    await using delivery = builds.deliver();
    await waitFor("that it is told", () => delivery.chat.state.kind === "away");
    forge.fault = undefined;
    await builds.becomes(running, PASSED);
    await waitFor("several tries", async () => (await delivery.waiting()).rooms.some(({ tries }) => tries >= 2));
    const meanwhile = writes(forge);
    expect(Date.now()).toBeLessThan(until.getTime());
    await delivery.said();
    expect(Date.now()).toBeGreaterThanOrEqual(until.getTime() - 50);
    expect(meanwhile).toBe(1);
    expect(told(forge).sort()).toEqual(["pending: #2 is queued", "success: passed in 2m58s"]);
  });

  test("does not hold up another one", async () => {
    await using server = await openRedis();
    await using limited = await startForge();
    await using well = await startForge("gitea");
    limited.fault = limitReached(new Date(Date.now() + 600_000));
    const builds = open(
      server,
      `gitea: [{ url: "${well.url}", token: ${FORGE_TOKEN} }]
${github(limited)}  engine: { repo: /r, forge: "gitea:${well.host}/distribution/distribution" }
`,
    );
    await using delivery = builds.deliver();
    await builds.create();
    await waitFor("that it is told", () => delivery.chat.state.kind === "away");
    await builds.create({ project: ProjectName.parse("engine") });
    await well.gets(1);
    expect(delivery.chat.state).toMatchObject({
      kind: "away",
      reason: expect.stringContaining("takes no calls before"),
    });
    expect(writes(limited)).toBe(1);
  });

  test("what it refuses is given up with one line, seen in !outbox, and the next commit is told", async () => {
    await using server = await openRedis();
    await using forge = await startForge();
    const builds = open(server, github(forge));
    await builds.create({ revision: revisionOf("9") });
    await builds.create();
    await using delivery = builds.deliver();
    await delivery.said();
    expect(told(forge)).toEqual(["pending: #2 is queued"]);
    const { dropped } = await delivery.waiting();
    expect(dropped).toEqual([
      expect.objectContaining({
        network: "forge",
        id: "build-1-queued",
        reason: expect.stringContaining("No commit found"),
      }),
    ]);
    expect(server.entries(40)).toHaveLength(1);
    expect(JSON.stringify(server.entries())).not.toContain(FORGE_TOKEN);
  });

  test("a slow one is told in order, and stopping does not wait for it", async () => {
    await using server = await openRedis();
    await using forge = await startForge();
    const builds = open(server, github(forge));
    forge.delayMs = 60_000;
    await builds.create();
    const before = performance.now();
    {
      await using _delivery = builds.deliver();
      await waitFor("a call", () => forge.calls.length > 0);
    }
    expect(performance.now() - before).toBeLessThan(5_000);
    forge.delayMs = 50;
    await using delivery = builds.deliver();
    await delivery.said();
    expect(told(forge)).toEqual(["pending: #1 is queued"]);
  });
});

describe("the comment on a pull request", () => {
  test("is all that GitLab is told, where it is wanted", async () => {
    await using server = await openRedis();
    await using forge = await startForge("gitlab");
    const project = (more: string) => `gitlab: [{ url: "${forge.url}", token: ${FORGE_TOKEN}${more} }]
url: https://ci.example.org
projects: { docker-registry: { repo: /r, forge: "gitlab:${forge.host}/distribution/distribution" } }`;
    const silent = open(server, project(""));
    await silent.becomes(await silent.becomes(await silent.create(pullRequest("0")), RUNNING, { attempt: 1 }), PASSED);
    const builds = open(server, project(", comment: true"));
    await using delivery = builds.deliver();
    expect((await delivery.waiting()).rooms).toEqual([]);
    const running = await builds.becomes(await builds.create(pullRequest("0")), RUNNING, { attempt: 1 });
    await builds.becomes(running, PASSED);
    await delivery.said();
    expect(forge.comments.map(({ pullRequest, body }) => [pullRequest, body.split("\n")[1]])).toEqual([
      [12, expect.stringContaining("#2](https://ci.example.org/builds/2) passed** in 2m58s")],
    ]);
    expect(forge.statuses).toEqual([]);
  });

  test("is written at the end, with what the change covers, and edited by the next build", async () => {
    await using server = await openRedis();
    await using forge = await startForge();
    const builds = open(server, github(forge, ", comment: true"));
    await using delivery = builds.deliver();
    const first = await builds.becomes(await builds.create(pullRequest("0")), RUNNING, { attempt: 1 });
    await delivery.said();
    expect(forge.comments).toEqual([]);
    await builds.becomes(first, { ...PASSED, kind: "failed", reason: "step tests, exit 1" });
    await delivery.said();
    expect(forge.comments.map(({ body }) => body)).toEqual([
      expect.stringContaining("✘ **[docker-registry #1](https://ci.example.org/builds/1) failed**"),
    ]);
    const second = await builds.becomes(await builds.create(pullRequest("1")), RUNNING, { attempt: 1 });
    const totals = { unit: "lines", covered: 617, total: 1_000 } as const;
    const change = { kind: "missing" } as const;
    const coverage = { totals, change, patch: { covered: 9, total: 12 } };
    await builds.becomes(second, PASSED, { results: { coverage } });
    await delivery.said();
    expect(forge.comments).toHaveLength(1);
    expect(forge.comments[0]?.pullRequest).toBe(12);
    expect(forge.comments[0]?.body).toContain("#2](https://ci.example.org/builds/2) passed** in 2m58s");
    expect(forge.comments[0]?.body).toContain("patch 9 of 12 lines (75.0%)");
  });

  test("of an older build that ends later is not written over the newer one's", async () => {
    await using server = await openRedis();
    await using forge = await startForge();
    const builds = open(server, github(forge, ", comment: true"));
    await using delivery = builds.deliver();
    const older = await builds.becomes(await builds.create(pullRequest("0")), RUNNING, { attempt: 1 });
    const newer = await builds.becomes(await builds.create(pullRequest("1")), RUNNING, { attempt: 1 });
    await builds.becomes(newer, PASSED);
    await delivery.said();
    await builds.becomes(older, { kind: "cancelled", startedAt: ago(9), finishedAt: ago(0), by: "bob" });
    await delivery.said();
    expect(forge.comments.map(({ body }) => body)).toEqual([expect.stringContaining("docker-registry #2")]);
  });
});
