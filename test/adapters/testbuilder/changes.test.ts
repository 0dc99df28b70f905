/** Where a branch began and what it changed, in real repositories, wherever they are. */
import { mkdir } from "node:fs/promises";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readChangedLines } from "../../../adapters/testbuilder/answers.ts";
import type { Testbuilder } from "../../../adapters/testbuilder/index.ts";
import { GitRef, Sha } from "../../../src/names.ts";
import { never } from "../../support/docker.ts";
import {
  type GitRepository,
  type GitServer,
  openGitRepository,
  serveByDaemon,
  serveByHttp,
} from "../../support/git-servers.ts";
import { openTestbuilderForTest } from "../../support/testbuilder.ts";

const ref = (name: string) => GitRef.parse(name);
const sha = (name: string) => Sha.parse(name);
const lines = (count: number) => Array.from({ length: count }, (_, index) => `line ${index + 1}\n`);

describe("a branch", () => {
  let repository: GitRepository;
  let testbuilder: Testbuilder;
  let daemon: GitServer;
  let http: GitServer;
  let began: string;
  let feature: string;
  let main: string;
  let elsewhere: string;
  let wide: string;

  beforeAll(async () => {
    repository = await openGitRepository();
    const { git, commit, path } = repository;
    await mkdir(`${path}/src`);
    await commit("first", { "src/a.txt": lines(20).join(""), gone: "x\n", moved: lines(30).join("") });
    began = await commit("second", { "src/b.txt": "1\n" });
    await git("checkout", "-q", "-b", "feature");
    const rewritten = lines(20);
    rewritten[4] = "five\n";
    rewritten[10] = "eleven\neleven and a half\n";
    rewritten[15] = "";
    await git("mv", "moved", "moved here");
    await git("rm", "-q", "gone");
    await commit("change", { "src/a.txt": rewritten.join("") });
    // Its content looks like the head of a file.
    feature = await commit("looks", {
      'odd "name"': "1\n++ b/not-a-file\n@@ -1 +1 @@\n",
      "new\nline": "x",
      bin: "\0\0",
    });
    await git("checkout", "-q", "main");
    for (let index = 0; index < 60; index += 1) main = await commit(`main ${index}`, {});
    await git("checkout", "-q", "--orphan", "elsewhere");
    elsewhere = await commit("nothing in common", {});
    await git("checkout", "-q", "main");
    await git("checkout", "-q", "-b", "wide");
    wide = await commit("wide", Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`f${index}`, "x"])));
    await git("checkout", "-q", "main");
    [daemon, http, testbuilder] = await Promise.all([
      serveByDaemon(repository.root),
      serveByHttp(repository.root),
      openTestbuilderForTest([repository.path]),
    ]);
  }, 60_000);
  afterAll(async () => {
    for (const thing of [testbuilder, daemon, http, repository]) await thing[Symbol.asyncDispose]();
  });

  describe.each(["a path", "git://", "http://"])("of a repository at %s", (where) => {
    const address = () =>
      ({ "a path": repository.path, "git://": daemon.address, "http://": http.address })[where] ?? "";

    it("began at the newest commit that it shares, sixty commits back", async () => {
      expect(await testbuilder.mergeBase(address(), ref("main"), sha(feature), never)).toBe(began);
    });

    it("and one of its own commits begin at that commit", async () => {
      expect(await testbuilder.mergeBase(address(), ref("main"), sha(main), never)).toBe(main);
      expect(await testbuilder.mergeBase(address(), ref("feature"), sha(began), never)).toBe(began);
    });

    it("shares nothing with a history of its own, or with one that is not there", async () => {
      expect(await testbuilder.mergeBase(address(), ref("main"), sha(elsewhere), never)).toBeUndefined();
      expect(await testbuilder.mergeBase(address(), ref("nosuch"), sha(feature), never)).toBeUndefined();
      expect(await testbuilder.mergeBase(address(), ref("main"), sha("1".repeat(40)), never)).toBeUndefined();
    });

    it("is told line by line: added and rewritten lines, moved files only where they changed", async () => {
      const changed = await testbuilder.changedLines(address(), sha(began), sha(feature), never);
      expect(Object.fromEntries(changed)).toEqual({
        "src/a.txt": [
          [5, 5],
          [11, 12],
        ],
        'odd "name"': [[1, 3]],
        "new\nline": [[1, 1]],
      });
    });

    it("with a commit that is not there is an error that names it", async () => {
      await expect(testbuilder.changedLines(address(), sha("2".repeat(40)), sha(feature), never)).rejects.toThrow(
        `cannot reach ${address()}: it has no commit 22222222`,
      );
    });

    it("tells the paths of each commit, two hundred at most, whatever their names", async () => {
      const [looks, change] = await testbuilder.between(address(), sha(began), sha(feature), never);
      expect(looks?.files).toEqual(["bin", "new\nline", 'odd "name"']);
      expect(change?.files).toEqual(["gone", "moved", "moved here", "src/a.txt"]);
    });
  });

  it("that changed a thousand files names two hundred", async () => {
    const [commit] = await testbuilder.between(repository.path, sha(main), sha(wide), never);
    expect(commit?.files).toHaveLength(200);
  });

  // The last, as the testbuilder cannot be started again without the folder.
  it("of a clone that is cut off is compared as far as it goes", async () => {
    await using shallow = await openGitRepository();
    await shallow.git("fetch", "-q", "--depth=3", `file://${repository.path}`, "feature");
    await shallow.git("branch", "feature", "FETCH_HEAD");
    await shallow.git("branch", "-f", "main", "FETCH_HEAD~1");
    expect(await testbuilder.mergeBase(shallow.path, ref("main"), sha(feature), never)).toBe(
      await shallow.git("rev-parse", "main"),
    );
    const commits = await testbuilder.between(shallow.path, sha(main), sha(feature), never);
    expect(commits.map(({ title, files }) => [title, files.length])).toEqual([
      ["looks", 3],
      ["change", 4],
      // The history ends here: what it changed is not known.
      ["second", 0],
    ]);
  });
});

it("reads a patch that is cut off as far as it goes", async () => {
  const patch = "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1,0 +2,3 @@\n+one\n+tw";
  expect(await readChangedLines(Readable.from([patch]))).toEqual(new Map([["a", [[2, 4]]]]));
});
