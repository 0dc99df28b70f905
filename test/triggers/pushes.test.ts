/** What becomes of pushes, tags and deleted branches of a real repository, told by webhooks and told again (O-43, O-44, O-45). */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Sha } from "../../src/names.ts";
import { createLanes } from "../../src/triggers/lanes.ts";
import { branch, DOCKER, openTriggers, type TriggerScene } from "./scene.ts";

let scene: TriggerScene;
let first: string;
const open = async (keys: Record<string, unknown> = {}, more?: (repo: string) => string): Promise<void> => {
  await scene?.[Symbol.asyncDispose]();
  scene = await openTriggers(keys, more);
  first = await scene.repository.commit("first", { "a.go": "1\n" });
};
beforeEach(() => open());
afterEach(async () => scene[Symbol.asyncDispose]());

describe("a push", () => {
  // O-160
  test("builds exactly what was pushed, though the branch has moved on, under the branch's name (O-31, O-43)", async () => {
    const second = await scene.repository.commit("second", { "a.go": "2\n" });
    await scene.repository.commit("third", { "a.go": "3\n" });
    const push = scene.pushOf(second, { before: Sha.parse(first) });
    expect(await scene.triggers.take(push, "d1")).toEqual({ kind: "built", builds: [1] });
    const [build] = await scene.all();
    expect(build).toMatchObject({
      event: "push",
      ref: "main",
      revision: { kind: "branch", ref: "main", sha: second, title: "second", author: "Ada" },
      requester: { name: "push", displayName: "bob", network: "triggers", room: { name: "docker" } },
    });
  });

  test("told five times, also after a restart, is built once", async () => {
    const push = scene.pushOf(first);
    const told = await Promise.all(["d1", "d1", "d1", "d2"].map((id) => scene.triggers.take(push, id)));
    await scene.restart();
    told.push(await scene.triggers.take(push, "d1"));
    expect(told).toEqual(told.map(() => ({ kind: "built", builds: [1] })));
    expect(await scene.builds()).toHaveLength(1);
  });

  test("told to two processes at once is built once, and so are the pushes behind it", async () => {
    const shas = [first];
    for (let index = 0; index < 5; index += 1) shas.push(await scene.repository.commit(`c${index}`, {}));
    const other = scene.beside();
    for (const [index, sha] of shas.entries()) {
      const before = index === 0 ? undefined : Sha.parse(shas[index - 1]);
      const push = scene.pushOf(sha, { before });
      const told = [scene.triggers.take(push, `d${index}`), other.take(push, `e${index}`)];
      const [here, there] = await Promise.all(told);
      expect(here).toEqual(there);
    }
    expect((await scene.all()).map(({ revision }) => revision?.sha)).toEqual(shas);
  });

  test("that was cut short anywhere between the request and its record comes to the same build", async () => {
    const { commands } = scene.records.redis;
    const push = scene.pushOf(first);
    await scene.triggers.take(push, "d1");
    // As a kill before the ledger was written, and before the delivery was, leaves it.
    await commands.del("docker-ci:triggers:heads:docker", ...(await commands.keys("docker-ci:triggers:delivery:*")));
    await scene.restart();
    expect(await scene.triggers.take(push, "d1")).toEqual({ kind: "built", builds: [1] });
    await commands.del(...(await commands.keys("docker-ci:triggers:delivery:*")));
    expect(await scene.triggers.take(push, "d1")).toEqual({ kind: "built", builds: [1] });
    expect(await scene.builds()).toHaveLength(1);
  });

  test("takes the older one's build out of the line and leaves what runs, and other branches (O-34, O-45)", async () => {
    const second = await scene.repository.commit("second", {});
    const third = await scene.repository.commit("third", {});
    await scene.repository.git("branch", "feature/x", first);
    await scene.triggers.take(scene.pushOf(first), "d1");
    const [running] = await scene.all();
    if (running !== undefined) await scene.records.begin(running);
    await scene.triggers.take(scene.pushOf(first, { branch: branch("feature/x") }), "d2");
    await scene.triggers.take(scene.pushOf(second, { before: Sha.parse(first) }), "d3");
    await scene.triggers.take(scene.pushOf(third, { before: Sha.parse(second), by: "eve" }), "d4");
    expect(await scene.builds()).toEqual([
      `#1 main ${first.slice(0, 7)} running`,
      `#2 feature/x ${first.slice(0, 7)} queued`,
      `#3 main ${second.slice(0, 7)} cancelled: superseded by #4`,
      `#4 main ${third.slice(0, 7)} queued`,
    ]);
    expect((await scene.all())[2]?.state).toMatchObject({ by: "eve" });
    if (running !== undefined) expect(await scene.records.builds.cancelRequest(running.number)).toBeUndefined();
  });

  test("with cancel_running stops also what runs", async () => {
    await open({ cancel_running: true });
    const second = await scene.repository.commit("second", {});
    await scene.triggers.take(scene.pushOf(first), "d1");
    const [running] = await scene.all();
    if (running === undefined) throw new Error("no build");
    await scene.records.begin(running);
    await scene.triggers.take(scene.pushOf(second, { before: Sha.parse(first) }), "d2");
    expect(await scene.records.builds.cancelRequest(running.number)).toMatchObject({ reason: "superseded by #2" });
  });

  test("of a person's build takes nothing out of the line", async () => {
    await scene.records.create("docker");
    await scene.triggers.take(scene.pushOf(first), "d1");
    expect(await scene.builds()).toEqual(["#1 main 0000000 queued", `#2 main ${first.slice(0, 7)} queued`]);
  });

  test("that comes late does not take the place of the newer one", async () => {
    const second = await scene.repository.commit("second", {});
    const third = await scene.repository.commit("third", {});
    await scene.triggers.take(scene.pushOf(first), "d1");
    await scene.triggers.take(scene.pushOf(third, { before: Sha.parse(second) }), "d3");
    const late = await scene.triggers.take(scene.pushOf(second, { before: Sha.parse(first) }), "d2");
    expect(late).toEqual({ kind: "skipped", reason: "superseded by #2" });
    expect(await scene.triggers.skipped()).toMatchObject([{ ref: "main", sha: second, reason: "superseded by #2" }]);
    expect((await scene.builds()).at(-1)).toBe(`#2 main ${third.slice(0, 7)} queued`);
  });

  test("by force, and back again, is built each time", async () => {
    const second = await scene.repository.commit("second", {});
    await scene.triggers.take(scene.pushOf(second, { before: Sha.parse(first) }), "d1");
    await scene.repository.git("reset", "-q", "--hard", first);
    const other = await scene.repository.commit("other", {});
    await scene.triggers.take(scene.pushOf(other, { before: Sha.parse(second) }), "d2");
    await scene.repository.git("reset", "-q", "--hard", second);
    await scene.triggers.take(scene.pushOf(second, { before: Sha.parse(other) }), "d3");
    expect((await scene.builds()).map((line) => line.split(" ")[2])).toEqual(
      [second, other, second].map((sha) => sha.slice(0, 7)),
    );
  });

  test("of a branch that is gone already is not built (O-44)", async () => {
    await scene.repository.git("branch", "gone", first);
    await scene.triggers.take(scene.pushOf(first, { branch: branch("gone") }), "d1");
    await scene.repository.git("branch", "-D", "gone");
    const second = await scene.repository.commit("second", {});
    expect(await scene.triggers.take(scene.pushOf(second, { branch: branch("gone") }), "d2")).toEqual({
      kind: "skipped",
      reason: "there is no branch gone any more",
    });
  });

  test("of a commit that the repository does not have is skipped", async () => {
    const unknown = scene.pushOf("f".repeat(40));
    expect(await scene.triggers.take(unknown, "d1")).toMatchObject({ kind: "skipped" });
    expect(await scene.builds()).toEqual([]);
  });

  test("while git is away is an error, and is built when it is told again", async () => {
    scene.revisions.away("could not resolve host");
    await expect(scene.triggers.take(scene.pushOf(first), "d1")).rejects.toThrow("could not resolve host");
    scene.revisions.away(undefined);
    expect(await scene.triggers.take(scene.pushOf(first), "d1")).toEqual({ kind: "built", builds: [1] });
  });

  test("of a project that is not configured any more is skipped", async () => {
    const push = scene.pushOf(first, { project: "nosuch" as typeof DOCKER });
    expect(await scene.triggers.take(push, "d1")).toEqual({
      kind: "skipped",
      reason: "there is no project nosuch any more",
    });
  });
});

describe("what is not built", () => {
  test.each([
    [["fix", "docs [skip ci]"], "its commit says [skip ci]"],
    [["[CI skip] wip"], "its commit says [ci skip]"],
  ])("commits that say so: %j", async (messages, reason) => {
    expect(await scene.triggers.take(scene.pushOf(first, { messages }), "d1")).toEqual({ kind: "skipped", reason });
    expect(await scene.triggers.skipped()).toMatchObject([{ project: "docker", ref: "main", sha: first, reason }]);
  });

  test("only the newest commit's words count", async () => {
    const messages = ["wip [skip ci]", "ready"];
    expect(await scene.triggers.take(scene.pushOf(first, { messages }), "d1")).toMatchObject({ kind: "built" });
  });

  test.each([
    [{ paths: ["src/**"] }, ["docs/a.md"], "no file that it changes matches paths:"],
    [{ paths: ["src/**"] }, ["docs/a.md", "src/x/y.go"], undefined],
    [
      { paths_ignore: ["docs/**", "*.md"] },
      ["docs/a/b.md", "README.md"],
      "every file that it changes matches paths_ignore:",
    ],
    [{ paths_ignore: ["docs/**", "*.md"] }, ["docs/a.md", "main.go"], undefined],
    [
      { paths: "src", paths_ignore: "src/vendor" },
      ["src/vendor/x.go"],
      "every file that it changes matches paths_ignore:",
    ],
    [{ paths: ["src/**"] }, [], undefined],
  ])("%j, files %j", async (keys, files, reason) => {
    await open(keys);
    const taken = await scene.triggers.take(scene.pushOf(first, { files }), "d1");
    expect(taken).toEqual(reason === undefined ? { kind: "built", builds: [1] } : { kind: "skipped", reason });
  });

  test("files that nobody told are asked of git, and unknown ones are built", async () => {
    await open({ paths: ["src/**"] });
    const second = await scene.repository.commit("second", { "README.md": "x" });
    const push = scene.pushOf(second, { before: Sha.parse(first), files: undefined });
    expect(await scene.triggers.take(push, "d1")).toMatchObject({ kind: "skipped" });
    const unknown = scene.pushOf(first, { branch: branch("new"), files: undefined });
    expect(await scene.triggers.take(unknown, "d2")).toMatchObject({ kind: "built" });
  });

  test("a push that is not built leaves the older one in the line", async () => {
    const second = await scene.repository.commit("second [skip ci]", {});
    await scene.triggers.take(scene.pushOf(first), "d1");
    await scene.triggers.take(scene.pushOf(second, { before: Sha.parse(first), messages: ["second [skip ci]"] }), "d2");
    const third = await scene.repository.commit("third", {});
    expect(await scene.builds()).toEqual([`#1 main ${first.slice(0, 7)} queued`]);
    await scene.triggers.take(scene.pushOf(third, { before: Sha.parse(second) }), "d3");
    expect(await scene.builds()).toEqual([
      `#1 main ${first.slice(0, 7)} cancelled: superseded by #2`,
      `#2 main ${third.slice(0, 7)} queued`,
    ]);
  });

  test("branches that branches: does not name; the project's own is always built (O-31)", async () => {
    await open({ branches: ["release/*"] });
    await scene.repository.git("branch", "feature/x");
    const taken = ["main", "release/1.0", "feature/x"].map((name) =>
      scene.triggers.take(scene.pushOf(first, { branch: branch(name) }), name),
    );
    expect((await Promise.all(taken)).map(({ kind }) => kind)).toEqual(["built", "built", "skipped"]);
  });
});

describe("a tag (O-45)", () => {
  test("is built at its commit, however it is named, once", async () => {
    await scene.repository.git("tag", "-a", "-m", "one", "v1.0");
    const object = await scene.repository.git("rev-parse", "v1.0");
    const tag = { kind: "tag", project: DOCKER, by: "bob", tag: branch("v1.0") } as const;
    expect(await scene.triggers.take({ ...tag, sha: Sha.parse(object) }, "d1")).toEqual({ kind: "built", builds: [1] });
    expect(await scene.triggers.take({ ...tag, sha: Sha.parse(first) }, "d2")).toEqual({ kind: "built", builds: [1] });
    expect((await scene.all())[0]).toMatchObject({ event: "tag", revision: { kind: "tag", ref: "v1.0", sha: first } });
  });

  test("is not with tags: false", async () => {
    await open({ tags: false });
    const tag = { kind: "tag", project: DOCKER, by: "bob", tag: branch("v1.0"), sha: Sha.parse(first) } as const;
    expect(await scene.triggers.take(tag, "d1")).toMatchObject({ kind: "skipped" });
  });
});

test("of 500 pushes at once each branch's newest is built, and nothing else waits", async () => {
  const shas: string[] = [];
  for (let index = 0; index < 10; index += 1) shas.push(await scene.repository.commit(`c${index}`, {}));
  for (let index = 0; index < 50; index += 1) await scene.repository.git("branch", `b${index}`);
  const pushes = shas.flatMap((sha, at) =>
    Array.from({ length: 50 }, (_, index) =>
      scene.pushOf(sha, { branch: branch(`b${index}`), before: at === 0 ? undefined : Sha.parse(shas[at - 1] ?? "") }),
    ),
  );
  const taken = await Promise.all(pushes.map((push, index) => scene.triggers.take(push, `d${index}`)));
  const newest = shas.at(-1) ?? "";
  const waiting = (await scene.all()).filter(({ state }) => state.kind === "queued");
  expect(waiting.map(({ ref, revision }) => `${ref} ${revision?.sha}`).sort()).toEqual(
    Array.from({ length: 50 }, (_, index) => `b${index} ${newest}`).sort(),
  );
  expect(taken.filter(({ kind }) => kind === "skipped")).toContainEqual({
    kind: "skipped",
    reason: "superseded by a newer push",
  });
}, 60_000);

describe("debounce", () => {
  test("waits for the last of several pushes, over a restart (O-31)", async () => {
    await open({ debounce: "10s", paths: ["src/**"] });
    const second = await scene.repository.commit("second", {});
    expect(await scene.triggers.take(scene.pushOf(first, { files: ["src/a.go"] }), "d1")).toMatchObject({
      kind: "waits",
    });
    scene.pass(9_000);
    await scene.triggers.take(scene.pushOf(second, { before: Sha.parse(first), files: ["docs/a.md"] }), "d2");
    scene.pass(9_000);
    await scene.restart();
    expect(await scene.builds()).toEqual([]);
    scene.pass(2_000);
    await expect.poll(() => scene.builds(), { timeout: 5_000 }).toEqual([`#1 main ${second.slice(0, 7)} queued`]);
  });

  test("a push that is not built lets the one before it go at once", async () => {
    await open({ debounce: "10s" });
    const second = await scene.repository.commit("second", {});
    await scene.triggers.take(scene.pushOf(first), "d1");
    await scene.triggers.take(scene.pushOf(second, { before: Sha.parse(first), messages: ["[skip ci]"] }), "d2");
    expect(await scene.builds()).toEqual([`#1 main ${first.slice(0, 7)} queued`]);
  });
});

test("lanes keep the order of each and work at so many at a time", async () => {
  const lanes = createLanes(2);
  const order: string[] = [];
  let atWork = 0;
  let most = 0;
  const work = (name: string) => async () => {
    atWork += 1;
    most = Math.max(most, atWork);
    await new Promise((resolve) => setImmediate(resolve));
    order.push(name);
    atWork -= 1;
    if (name === "b1") throw new Error("b1 fails");
  };
  const runs = ["a1", "b1", "c1", "a2", "b2", "a3"].map((name) => lanes.run(name.charAt(0), work(name)));
  const settled = await Promise.allSettled(runs);
  expect(settled.map(({ status }) => status)).toEqual([
    "fulfilled",
    "rejected",
    "fulfilled",
    "fulfilled",
    "fulfilled",
    "fulfilled",
  ]);
  expect(most).toBe(2);
  expect(order.filter((name) => name.startsWith("a"))).toEqual(["a1", "a2", "a3"]);
  expect(order.indexOf("b1")).toBeLessThan(order.indexOf("b2"));
});
