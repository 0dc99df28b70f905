/** What is found by looking at a real repository: new heads, forced ones, tags, what a webhook missed, and outages. */
import { execFile } from "node:child_process";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSubscriptions } from "../../src/incidents/subscriptions.ts";
import { Sha } from "../../src/names.ts";
import { backOffMs, startPoller } from "../../src/triggers/poller.ts";
import { waitFor } from "../support/wait-for.ts";
import { branch, openTriggers, type TriggerScene } from "./scene.ts";

let scene: TriggerScene;
let first: string;

const open = async (keys: Record<string, unknown> = {}, more?: (repo: string) => string): Promise<void> => {
  await scene?.[Symbol.asyncDispose]();
  scene = await openTriggers(keys, more);
  first = await scene.repository.commit("first", { "a.go": "1\n" });
};
beforeEach(() => open());
afterEach(async () => scene[Symbol.asyncDispose]());
const short = (sha: string): string => sha.slice(0, 7);
const MINUTE_MS = 60_000;

test("the first look builds nothing; later every branch that moved is built once, by its author", async () => {
  await scene.repository.git("branch", "old");
  await scene.look();
  await scene.look();
  expect(await scene.builds()).toEqual([]);
  const second = await scene.repository.commit("second", {});
  await scene.repository.git("branch", "feature/x");
  await scene.look();
  await scene.look();
  expect((await scene.builds()).map((line) => line.replace(/^#\d+ /, "")).sort()).toEqual([
    `feature/x ${short(second)} queued`,
    `main ${short(second)} queued`,
  ]);
  expect((await scene.all())[0]).toMatchObject({
    event: "push",
    requester: { displayName: "Ada", network: "triggers" },
    revision: { kind: "branch", title: "second" },
  });
});

test("what moved while docker-ci was down is built once: only the newest", async () => {
  await scene.look();
  await scene.triggers[Symbol.asyncDispose]();
  await scene.repository.commit("second", {});
  const third = await scene.repository.commit("third", {});
  await scene.restart();
  await scene.look();
  expect(await scene.builds()).toEqual([`#1 main ${short(third)} queued`]);
});

test("a branch that was pushed by force is built, and takes the older one's place; a deleted one is forgotten", async () => {
  const { git, commit } = scene.repository;
  await scene.look();
  const second = await commit("second", {});
  await scene.look();
  await git("reset", "-q", "--hard", first);
  const other = await commit("other", {});
  await scene.look();
  expect(await scene.builds()).toEqual([
    `#1 main ${short(second)} cancelled: superseded by #2`,
    `#2 main ${short(other)} queued`,
  ]);
  await git("branch", "gone");
  await scene.look();
  await git("branch", "-D", "gone");
  await scene.look();
  expect(await scene.records.redis.commands.hkeys("docker-ci:triggers:heads:docker")).toEqual(["refs/heads/main"]);
  expect(await scene.builds()).toHaveLength(3);
});

test("a new tag is built, and one that moved", async () => {
  const { git, commit } = scene.repository;
  await git("tag", "v1");
  await scene.look();
  await git("tag", "-a", "-m", "two", "v2");
  await scene.look();
  const second = await commit("second", {});
  await git("tag", "-f", "v1");
  await scene.look();
  expect((await scene.builds()).map((line) => line.replace(/^#\d+ /, "")).sort()).toEqual([
    `main ${short(second)} queued`,
    `v1 ${short(second)} queued`,
    `v2 ${short(first)} queued`,
  ]);
});

test("[skip ci] is obeyed wherever the newest commit says it, as a webhook's is", async () => {
  const { git, commit } = scene.repository;
  await scene.look();
  await commit("docs\n\nNothing here is built.\n\n[skip ci]", {});
  await scene.look();
  await scene.look();
  expect(await scene.builds()).toEqual([]);
  expect((await scene.triggers.skipped()).map(({ ref, reason }) => `${ref}: ${reason}`)).toEqual([
    "main: its commit says [skip ci]",
  ]);
  const next = await commit("a fix", {});
  await scene.look();
  expect(await scene.builds()).toEqual([`#1 main ${short(next)} queued`]);
  // A tag says that somebody wants it built.
  await git("tag", "v1", "HEAD~1");
  await scene.look();
  expect(await scene.builds()).toHaveLength(2);
});

test("[skip ci] in a commit's title, and paths, are obeyed", async () => {
  await open({ paths: ["src/**"] });
  const { git, commit } = scene.repository;
  await scene.look();
  await commit("docs", { "README.md": "x" });
  await scene.look();
  await git("checkout", "-q", "-b", "wip");
  await commit("wip [skip ci]", {});
  await scene.look();
  await scene.look();
  expect(await scene.builds()).toEqual([]);
  expect((await scene.triggers.skipped()).map(({ ref, reason }) => `${ref}: ${reason}`)).toEqual([
    "wip: its commit says [skip ci]",
    "main: no file that it changes matches paths:",
  ]);
});

describe("beside a webhook", () => {
  test("30 pushes while it was down are healed by one look: what still matters is built once", async () => {
    const { git, commit } = scene.repository;
    await scene.look();
    let before = Sha.parse(first);
    const told = async (sha: string, id: string) => {
      await scene.triggers.take(scene.pushOf(sha, { before }), id);
      before = Sha.parse(sha);
    };
    await told(await commit("heard", {}), "d0");
    const missed: string[] = [];
    for (let index = 0; index < 28; index += 1) missed.push(await commit(`missed ${index}`, {}));
    await git("checkout", "-q", "-b", "feature");
    missed.push(await commit("missed on a branch", {}), await commit("missed on a branch again", {}));
    await scene.look();
    expect(
      (await scene.all())
        .filter(({ state }) => state.kind === "queued")
        .map(({ ref, revision }) => [ref, revision?.sha]),
    ).toEqual(
      expect.arrayContaining([
        ["main", missed[27]],
        ["feature", missed[29]],
      ]),
    );
    expect(await scene.builds()).toHaveLength(3);
    // The forge delivers all of them after all.
    await Promise.all(missed.slice(0, 28).map((sha, index) => told(sha, `late${index}`)));
    await scene.look();
    expect(await scene.builds()).toHaveLength(3);
    expect((await scene.all()).filter(({ state }) => state.kind === "queued")).toHaveLength(2);
  });

  test("a push that came while git was answering is newer than the answer", async () => {
    await scene.look();
    const second = await scene.repository.commit("second", {});
    const real = scene.revisions.heads;
    const stale = await real(scene.repository.path, new AbortController().signal);
    const third = await scene.repository.commit("third", {});
    let isStale = true;
    Object.assign(scene.revisions, {
      async heads(repo: string, signal: AbortSignal) {
        if (!isStale) return real(repo, signal);
        isStale = false;
        await scene.triggers.take(scene.pushOf(third, { before: Sha.parse(second) }), "d1");
        return stale;
      },
    });
    await scene.look();
    expect(await scene.builds()).toEqual([`#1 main ${short(third)} queued`]);
  });

  test("the first head that a webhook tells is built, though a look saw it before", async () => {
    await scene.look();
    expect(await scene.triggers.take(scene.pushOf(first), "d1")).toEqual({ kind: "built", builds: [1] });
    await scene.look();
    expect(await scene.builds()).toHaveLength(1);
  });
});

describe("pull requests", () => {
  const pull = async (number: number): Promise<string> => {
    const { git, commit } = scene.repository;
    await git("checkout", "-q", "--detach", "main");
    const sha = await commit(`pull ${number}`, { [`p${number}`]: `${Math.random()}` });
    await git("update-ref", `refs/pull/${number}/head`, sha);
    await git("checkout", "-q", "main");
    return sha;
  };

  test("are looked at only with pull_requests: run, and then as outsiders'", async () => {
    await scene.look();
    await pull(1);
    await scene.look();
    expect(await scene.builds()).toEqual([]);
    await open({ pull_requests: "run" });
    await pull(1);
    await scene.look();
    const second = await pull(2);
    await scene.look();
    const moved = await pull(1);
    await scene.look();
    await scene.look();
    expect(await scene.builds()).toEqual([`#1 PR#2 ${short(second)} queued`, `#2 PR#1 ${short(moved)} queued`]);
    expect((await scene.all()).map(({ untrusted }) => untrusted)).toEqual([true, true]);
  });

  test("whose next head no webhook told of are healed by a look, as trusted as they were", async () => {
    await scene.look();
    const sha = await pull(4);
    await scene.triggers.take(scene.pullOf(4, sha, { isTrusted: true }), "d1");
    await scene.triggers.take(scene.pullOf(5, await pull(5)), "d2");
    await scene.triggers.take(scene.pullOf(6, await pull(6), { isTrusted: true, isDraft: true }), "d3");
    await scene.look();
    const next = await pull(4);
    await pull(5);
    await pull(6);
    await scene.look();
    await scene.look();
    expect(await scene.builds()).toEqual([
      `#1 PR#4 ${short(sha)} cancelled: superseded by #2`,
      `#2 PR#4 ${short(next)} queued`,
    ]);
    expect((await scene.all())[1]?.untrusted).toBeUndefined();
  });

  test("that moved on by a webhook while git was answering stay as that has them", async () => {
    await open({ pull_requests: "run" });
    await scene.look();
    await scene.triggers.take(scene.pullOf(6, await pull(6)), "d1");
    const old = await pull(6);
    const real = scene.revisions.heads;
    const stale = await real(scene.repository.path, new AbortController().signal);
    const newest = await pull(6);
    Object.assign(scene.revisions, {
      async heads() {
        await scene.triggers.take(scene.pullOf(6, newest, { action: "updated" }), "d2");
        return stale;
      },
    });
    await scene.look();
    expect(await scene.builds()).toHaveLength(2);
    expect((await scene.all()).map(({ revision }) => revision?.sha)).not.toContain(old);
  });

  test("that a webhook told of are not built again, closed ones too", async () => {
    await open({ pull_requests: "run" });
    await scene.look();
    const sha = await pull(3);
    await scene.triggers.take(scene.pullOf(3, sha, { isTrusted: true }), "d1");
    await scene.triggers.take(scene.pullOf(3, sha, { action: "closed" }), "d2");
    await scene.look();
    expect(await scene.builds()).toHaveLength(1);
  });
});

test("several projects of one repository are looked at together, and each has its builds", async () => {
  await open(
    { branches: ["main"] },
    (repo) => `  engine: { repo: ${repo}, tags: false }\n  idle: { repo: ${repo}, poll: off }\n`,
  );
  await scene.look();
  expect(scene.revisions.looks()).toBe(1);
  await scene.repository.commit("second", {});
  await scene.repository.git("branch", "feature");
  await scene.repository.git("tag", "v1");
  await scene.look();
  expect((await scene.all()).map(({ project, ref }) => `${project} ${ref}`).sort()).toEqual([
    "docker main",
    "docker v1",
    "engine feature",
    "engine main",
  ]);
});

test("500 branches that appear at once are each built once", async () => {
  await scene.look();
  const { git } = scene.repository;
  const lines = Array.from({ length: 500 }, (_, index) => `create refs/heads/b/${index} ${first}\n`).join("");
  await git("config", "core.logAllRefUpdates", "false");
  await new Promise<void>((resolve, reject) => {
    const child = execFile("git", ["-C", scene.repository.path, "update-ref", "--stdin"], (error) =>
      error === null ? resolve() : reject(error),
    );
    child.stdin?.end(lines);
  });
  await Promise.all([scene.look(), scene.look()]);
  await scene.look();
  const refs = (await scene.all()).map(({ ref }) => ref);
  expect(refs).toHaveLength(500);
  expect(new Set(refs).size).toBe(500);
}, 60_000);

describe("a repository that cannot be reached", () => {
  test("is told of once after a quarter of an hour, and once when it is back; then what was missed is built", async () => {
    await scene.look();
    const second = await scene.repository.commit("second", {});
    scene.revisions.away("could not resolve host");
    expect(await scene.look()).toEqual([false]);
    scene.pass(14 * MINUTE_MS);
    await scene.look();
    expect(await scene.said("#dev")).toEqual([]);
    scene.pass(2 * MINUTE_MS);
    await Promise.all([scene.look(), scene.look()]);
    scene.pass(60 * MINUTE_MS);
    await scene.look();
    const path = scene.repository.path;
    expect(await scene.said("#dev")).toEqual([
      `docker: cannot reach ${path}: could not resolve host · for 16m now · what is pushed meanwhile is built when it is back`,
    ]);
    scene.revisions.away(undefined);
    expect(await scene.look()).toEqual([true]);
    await scene.look();
    expect((await scene.said("#dev")).slice(1)).toEqual([
      `docker: ${path} can be reached again · it was away for 1h16m`,
    ]);
    expect(await scene.builds()).toEqual([`#1 main ${short(second)} queued`]);
  });

  test("for a moment is nobody's business", async () => {
    await scene.look();
    scene.revisions.away("connection refused");
    await scene.look();
    scene.revisions.away(undefined);
    scene.pass(MINUTE_MS);
    await scene.look();
    scene.revisions.away("connection refused");
    scene.pass(20 * MINUTE_MS);
    await scene.look();
    expect(await scene.said("#dev")).toEqual([]);
  });

  test.each([
    [60_000, 0, 60_000],
    [60_000, 1, 120_000],
    [60_000, 3, 480_000],
    [60_000, 9, 600_000],
    [3_600_000, 2, 3_600_000],
  ])("every %i ms, after %i failures in a row is looked at again after %i ms", (intervalMs, failures, expected) => {
    expect(backOffMs(intervalMs, failures)).toBe(expected);
  });
});

test("the poller looks by itself, and stops at once", async () => {
  await open({ poll: "5s" });
  const { records, revisions, triggers } = scene;
  const clock = { now: () => new Date() };
  const { redis, config, log } = records;
  const subscriptions = createSubscriptions(redis.commands, clock);
  const poller = startPoller(
    { config, redis: redis.commands, revisions, subscriptions, clock, log, see: triggers.see },
    () => 0,
  );
  await waitFor("the first look", () => revisions.looks() === 1);
  await poller[Symbol.asyncDispose]();
  expect(revisions.looks()).toBe(1);
});

test("pushes told of before any look are no news to it", async () => {
  await scene.triggers.take(scene.pushOf(first, { branch: branch("main") }), "d1");
  await scene.look();
  await scene.look();
  expect(await scene.builds()).toHaveLength(1);
});
