/** What becomes of pull requests, those of outsiders among them, and of what is said about them (O-42, O-47, O-55). */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Sha } from "../../src/names.ts";
import type { Commented } from "../../src/triggers/change.ts";
import { openTalk, type Talk } from "../support/talk.ts";
import { branch, DOCKER, openTriggers, type TriggerScene } from "./scene.ts";

let scene: TriggerScene;
let talk: Talk;
let base: string;
let head: string;

const open = async (keys: Record<string, unknown> = {}, more?: (repo: string) => string): Promise<void> => {
  await scene?.[Symbol.asyncDispose]();
  scene = await openTriggers(keys, more);
  base = await scene.repository.commit("first", { "a.go": "1\n" });
  head = await push(12, { "b.go": "1\n", Dockerfile: "FROM x\n", "docs.md": "x" });
  talk = openTalk(scene.records, { pullRequests: scene.triggers.pullRequests });
};
beforeEach(() => open());
afterEach(async () => scene[Symbol.asyncDispose]());

/** A new head of a pull request, on top of `main` as it is. */
async function push(number: number, files: Record<string, string>, title = "Fix a typo"): Promise<string> {
  const { git, commit } = scene.repository;
  await git("checkout", "-q", "--detach", "main");
  const sha = await commit(title, files);
  await git("update-ref", `refs/pull/${number}/head`, sha);
  await git("checkout", "-q", "main");
  return sha;
}

const comment = (command: Commented["command"], changes: Partial<Commented> = {}): Commented => ({
  kind: "comment",
  project: DOCKER,
  by: "ada",
  number: 12,
  command,
  isCollaborator: true,
  ...changes,
});
const short = (sha: string): string => sha.slice(0, 7);
const WAITS = { kind: "waits", reason: "PR#12 waits for !ok-to-test PR#12" };

describe("a pull request of somebody who may push", () => {
  // O-160
  test("is built at its head, with its own base beside it, and is trusted (O-21, O-47, O-55)", async () => {
    const { git, commit } = scene.repository;
    await git("checkout", "-q", "-b", "release/1.0");
    const release = await commit("a fix for 1.0", {});
    await git("checkout", "-q", "main");
    const pull = scene.pullOf(12, head, { isTrusted: true, by: "bob", into: branch("release/1.0") });
    expect(await scene.triggers.take(pull, "d1")).toEqual({ kind: "built", builds: [1] });
    expect((await scene.all())[0]).toMatchObject({
      event: "pull_request",
      ref: "PR#12",
      revision: { kind: "pull_request", sha: head, ref: "release/1.0", pullRequest: { number: 12, base: release } },
      requester: { displayName: "bob", network: "triggers" },
    });
    expect((await scene.all())[0]?.untrusted).toBeUndefined();
  });

  test("is built once for a head, and a new head takes its place in the line (O-34)", async () => {
    const pull = scene.pullOf(12, head, { isTrusted: true });
    for (const id of ["d1", "d1", "d2"]) {
      expect(await scene.triggers.take(pull, id)).toEqual({ kind: "built", builds: [1] });
    }
    const next = await push(12, { "b.go": "2\n" });
    await scene.triggers.take(scene.pullOf(12, next, { action: "updated", isTrusted: true }), "d3");
    expect(await scene.builds()).toEqual([
      `#1 PR#12 ${short(head)} cancelled: superseded by #2`,
      `#2 PR#12 ${short(next)} queued`,
    ]);
  });

  test("that was cut short between the request and its record comes to the same build", async () => {
    const pull = scene.pullOf(12, head, { isTrusted: true });
    await scene.triggers.take(pull, "d1");
    const { commands } = scene.records.redis;
    await commands.del("docker-ci:triggers:pulls:docker", ...(await commands.keys("docker-ci:triggers:delivery:*")));
    await scene.restart();
    expect(await scene.triggers.take(pull, "d1")).toEqual({ kind: "built", builds: [1] });
  });

  test("told late is built as it is now, and the newer news of it comes to that build", async () => {
    const next = await push(12, { "b.go": "2\n" });
    expect(await scene.triggers.take(scene.pullOf(12, head, { isTrusted: true }), "d1")).toMatchObject({
      kind: "built",
    });
    await scene.triggers.take(scene.pullOf(12, next, { action: "updated", isTrusted: true }), "d2");
    expect(await scene.builds()).toEqual([`#1 PR#12 ${short(next)} queued`]);
  });

  test("whose ref lags behind the webhook is built at the head that was told", async () => {
    await scene.triggers.take(scene.pullOf(12, head, { isTrusted: true }), "d1");
    const next = await push(12, { "b.go": "2\n" });
    await scene.repository.git("update-ref", "refs/pull/12/head", head);
    await scene.triggers.take(scene.pullOf(12, next, { action: "updated", isTrusted: true }), "d2");
    expect((await scene.builds()).at(-1)).toBe(`#2 PR#12 ${short(next)} queued`);
  });

  test("that is a draft waits until it is ready", async () => {
    const pull = scene.pullOf(12, head, { isTrusted: true, isDraft: true });
    expect(await scene.triggers.take(pull, "d1")).toEqual({ kind: "skipped", reason: "it is a draft" });
    expect(await scene.triggers.take({ ...pull, isDraft: false, action: "updated" }, "d2")).toMatchObject({
      kind: "built",
    });
  });

  test("that is closed stops what waits or runs, and is built again when it is opened again (O-42)", async () => {
    const pull = scene.pullOf(12, head, { isTrusted: true });
    await scene.triggers.take(pull, "d1");
    expect(await scene.triggers.take({ ...pull, action: "closed", by: "bob" }, "d2")).toEqual({
      kind: "cancelled",
      builds: [1],
    });
    expect(await scene.builds()).toEqual([`#1 PR#12 ${short(head)} cancelled: PR#12 was closed`]);
    expect(await scene.triggers.take(pull, "d3")).toEqual({ kind: "built", builds: [2] });
    const [, running] = await scene.all();
    if (running === undefined) throw new Error("no build");
    await scene.records.begin(running);
    await scene.triggers.take({ ...pull, action: "closed" }, "d4");
    expect(await scene.records.builds.cancelRequest(running.number)).toMatchObject({ reason: "PR#12 was closed" });
  });

  test("that changes only what is ignored is not built", async () => {
    await open({ paths_ignore: ["docs/**", "*.md"] });
    const docs = await push(13, { "README.md": "x" });
    expect(await scene.triggers.take(scene.pullOf(13, docs, { isTrusted: true }), "d1")).toMatchObject({
      kind: "skipped",
    });
    expect(await scene.triggers.take(scene.pullOf(12, head, { isTrusted: true }), "d2")).toMatchObject({
      kind: "built",
    });
  });

  test("with pull_requests: never is not built, nor one that the repository does not have", async () => {
    expect(await scene.triggers.take(scene.pullOf(99, head, { isTrusted: true }), "d1")).toEqual({
      kind: "skipped",
      reason: "the repository has no PR#99",
    });
    await open({ pull_requests: "never" });
    expect(await scene.triggers.take(scene.pullOf(12, head, { isTrusted: true }), "d1")).toMatchObject({
      kind: "skipped",
    });
  });
});

// O-171: it runs when somebody has looked at it, without trust
describe("a pull request of an outsider", () => {
  test("waits, is told of once, and runs at that one head, without trust", async () => {
    expect(await scene.triggers.take(scene.pullOf(12, head), "d1")).toEqual(WAITS);
    await scene.triggers.take(scene.pullOf(12, head), "d2");
    expect(await scene.said("#dev")).toEqual([
      `docker PR#12 by mallory "Fix a typo" waits for !ok-to-test PR#12 · ${short(head)} into main`,
    ]);
    expect(await scene.builds()).toEqual([]);
    expect(await talk.ask("!ok-to-test", { trusted: true })).toEqual([
      `docker PR#12 by mallory "Fix a typo" waits for 0s · ${short(head)} into main · !ok-to-test PR#12`,
    ]);
    expect(await talk.ask("!ok-to-test PR#12", { trusted: true })).toEqual([
      `○ docker PR#12 by mallory "Fix a typo" may run as #1 · ${short(head)} into main · https://ci.example.org/builds/1`,
      "steers CI: Dockerfile · 2 other files: b.go, docs.md",
    ]);
    expect((await scene.all())[0]).toMatchObject({ untrusted: true, event: "pull_request", revision: { sha: head } });
    expect(await talk.ask("!ok-to-test", { trusted: true })).toEqual(["no pull request waits for anybody's word"]);
    // Said twice it is the same build.
    expect((await talk.ask("!ok-to-test PR#12", { trusted: true }))[0]).toContain("may run as #1");
  });

  test("needs a new word for a new head, and is told of again", async () => {
    await scene.triggers.take(scene.pullOf(12, head), "d1");
    await talk.ask("!ok-to-test docker #12", { trusted: true });
    const next = await push(12, { "b.go": "evil\n" });
    expect(await scene.triggers.take(scene.pullOf(12, next, { action: "updated" }), "d2")).toEqual(WAITS);
    expect(await scene.said("#dev")).toHaveLength(2);
    expect(await scene.builds()).toHaveLength(1);
  });

  test("whose head moved unseen is not let run, and neither is another head than the one that was said", async () => {
    await scene.triggers.take(scene.pullOf(12, head), "d1");
    const next = await push(12, { "b.go": "evil\n" });
    expect(await talk.ask("!ok-to-test PR#12", { trusted: true })).toEqual([
      `the head of docker PR#12 by mallory "Fix a typo" is ${short(next)} now. Look at that, then say !ok-to-test PR#12 ${short(next)}`,
    ]);
    expect((await talk.ask(`!ok-to-test PR#12 ${short(head)}`, { trusted: true }))[0]).toContain(
      `is ${short(next)} now`,
    );
    expect(await scene.builds()).toEqual([]);
    expect((await talk.ask(`!ok-to-test PR#12 ${short(next)}`, { trusted: true }))[0]).toContain("may run as #1");
  });

  test("is let run only by a developer", async () => {
    await scene.triggers.take(scene.pullOf(12, head), "d1");
    expect((await talk.ask("!ok-to-test PR#12", { nick: "mallory" }))[0]).toContain("takes the role developer");
    expect(await scene.builds()).toEqual([]);
  });

  test("with pull_requests: run is built at once, without trust", async () => {
    await open({ pull_requests: "run" });
    expect(await scene.triggers.take(scene.pullOf(12, head), "d1")).toEqual({ kind: "built", builds: [1] });
    expect((await scene.all())[0]?.untrusted).toBe(true);
  });

  test("cannot write into the room what it likes", async () => {
    const title = `\u0003${"4"}red\u202e\nsecond line ${"x".repeat(300)}`;
    await scene.triggers.take(scene.pullOf(12, head, { title, by: "mal\u0007lory" }), "d1");
    const [said = ""] = await scene.said("#dev");
    expect(said).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(said.length).toBeLessThan(200);
  });
});

describe("!ok-to-test", () => {
  test("takes the project where several have that number", async () => {
    await open({}, (repo) => `  engine: { repo: ${repo} }\n`);
    await scene.triggers.take(scene.pullOf(12, head), "d1");
    expect((await talk.ask("!ok-to-test 7", { trusted: true }))[0]).toBe(
      "no PR#7 waits. !ok-to-test lists those that do.",
    );
    await scene.triggers.take(scene.pullOf(12, head, { project: "engine" as typeof DOCKER }), "d1");
    expect(await talk.ask("!ok-to-test PR#12", { trusted: true })).toEqual([
      "PR#12 waits in docker and engine: say which, as in !ok-to-test docker PR#12",
    ]);
    expect((await talk.ask("!ok-to-test engine PR#12", { trusted: true }))[0]).toContain("engine PR#12 by mallory");
    expect(await talk.ask("!ok-to-test", { trusted: true })).toEqual([
      `docker PR#12 by mallory "Fix a typo" waits for 0s · ${short(head)} into main · !ok-to-test docker PR#12`,
    ]);
  });

  test.each([
    ["!ok-to-test docker", "say which pull request, for example !ok-to-test PR#12 or !ok-to-test docker PR#12."],
    ["!ok-to-test nosuch PR#12", 'no project "nosuch". There are docker.'],
    ["!ok-to-test docker PR#7", "no PR#7 of docker waits."],
  ])("%s is told what is wrong", async (line, answer) => {
    expect(await talk.ask(line, { trusted: true })).toEqual([answer]);
  });

  test("is not needed for a pull request of somebody who may push", async () => {
    await scene.triggers.take(scene.pullOf(12, head, { isTrusted: true }), "d1");
    expect(await talk.ask("!ok-to-test PR#12", { trusted: true })).toEqual([
      "PR#12 of docker does not wait for anybody's word: #1 was built of it.",
    ]);
  });
});

test("a head whose message says [skip ci] below its title is not built, until somebody asks for it", async () => {
  const skipping = await push(12, { "b.go": "2\n" }, "Fix a typo\n\n[ci skip]");
  expect(await scene.triggers.take(scene.pullOf(12, skipping, { isTrusted: true }), "d1")).toEqual({
    kind: "skipped",
    reason: "its commit says [ci skip]",
  });
  expect(await scene.triggers.take(comment("test"), "c1")).toEqual({ kind: "built", builds: [1] });
});

describe("a comment", () => {
  test("of a collaborator lets the head run that waits; of anybody else does nothing", async () => {
    await scene.triggers.take(scene.pullOf(12, head), "d1");
    const outsider = comment("ok-to-test", { by: "mallory", isCollaborator: false });
    expect(await scene.triggers.take(outsider, "c1")).toEqual({
      kind: "skipped",
      reason: "mallory is no collaborator",
    });
    expect(await scene.triggers.take(comment("test"), "c2")).toEqual(WAITS);
    expect(await scene.triggers.take(comment("ok-to-test"), "c3")).toEqual({ kind: "built", builds: [1] });
    expect(await scene.triggers.take(comment("ok-to-test"), "c3")).toEqual({ kind: "built", builds: [1] });
  });

  test("/retest builds again, once for each time it is said; /cancel stops it", async () => {
    await scene.triggers.take(scene.pullOf(12, head, { isTrusted: true }), "d1");
    expect(await scene.triggers.take(comment("retest"), "c1")).toEqual({ kind: "built", builds: [2] });
    const { commands } = scene.records.redis;
    await commands.del(...(await commands.keys("docker-ci:triggers:delivery:c1*")));
    expect(await scene.triggers.take(comment("retest"), "c1")).toEqual({ kind: "built", builds: [2] });
    expect(await scene.triggers.take(comment("cancel"), "c2")).toEqual({ kind: "cancelled", builds: [2] });
    expect(await scene.builds()).toEqual([
      `#1 PR#12 ${short(head)} cancelled: superseded by #2`,
      `#2 PR#12 ${short(head)} cancelled: asked for at PR#12`,
    ]);
    expect(await scene.triggers.take(comment("cancel"), "c3")).toMatchObject({ kind: "skipped" });
  });

  test("about a pull request that nobody told of counts for the one that there is, which waits", async () => {
    expect(await scene.triggers.take(comment("test"), "c1")).toEqual(WAITS);
    expect(await scene.triggers.take(comment("ok-to-test"), "c2")).toEqual({ kind: "built", builds: [1] });
    expect((await scene.all())[0]?.revision).toMatchObject({ sha: Sha.parse(head), pullRequest: { base } });
  });
});
