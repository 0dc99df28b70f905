/** Pull requests of real repositories, wherever they are: found by number, and merged as they would be. O-47, O-54, O-55. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectDocker } from "../../../adapters/docker/index.ts";
import { openTestbuilder } from "../../../adapters/testbuilder/index.ts";
import { GitRef, Sha } from "../../../src/names.ts";
import { MergeConflictError, UnknownRefError } from "../../../src/revisions.ts";
import { never, readAll } from "../../support/docker.ts";
import { removeVolume } from "../../support/docker-volume.ts";
import {
  type GitRepository,
  type GitServer,
  openGitRepository,
  serveByDaemon,
  serveByHttp,
} from "../../support/git-servers.ts";
import { filesIn, openTestbuilderForTest, testbuilderOptions } from "../../support/testbuilder.ts";

const ref = (name: string) => GitRef.parse(name);
const main = ref("main");
const FEW = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const rewritten = (changes: Readonly<Record<string, string>>) =>
  FEW.map((line) => `${changes[line] ?? line}\n`).join("");

/** Many commits that change nothing, on top of the branch. */
function addCommits({ path }: GitRepository, branch: string, count: number): void {
  // git takes it that commits do not come before their parents.
  const seconds = Math.floor(Date.now() / 1000);
  const commits = Array.from(
    { length: count },
    (_, index) =>
      `commit refs/heads/${branch}\ncommitter Ada <ada@example.org> ${seconds} +0000\ndata 1\n.\n${
        index === 0 ? `from refs/heads/${branch}^0\n` : ""
      }`,
  );
  execFileSync("git", ["-C", path, "fast-import", "--quiet"], { input: commits.join("") });
}

describe("a pull request", () => {
  const heads: Record<string, Sha> = {};
  let repository: GitRepository;
  let testbuilder: Awaited<ReturnType<typeof openTestbuilderForTest>>;
  let daemon: GitServer;
  let http: GitServer;
  let tip: Sha;
  let sideways: Sha;
  let numbered = 1;
  // Gone only at the end, as the testbuilder cannot be started again without its folder.
  let hostile: GitRepository;

  /** A pull request of one commit on top of `from`; back on main afterwards. */
  const propose = async (name: string, from: string, files: Readonly<Record<string, string>>, at?: string) => {
    await repository.git("checkout", "-q", "-b", `work-${name}`, from);
    const sha = Sha.parse(await repository.commit(`${name}: a change`, files));
    await repository.git("update-ref", at ?? `refs/pull/${numbered++}/head`, sha);
    await repository.git("checkout", "-q", "main");
    await repository.git("branch", "-q", "-D", `work-${name}`);
    heads[name] = sha;
  };

  beforeAll(async () => {
    [repository, hostile] = await Promise.all([openGitRepository(), openGitRepository()]);
    const { git, commit } = repository;
    await mkdir(`${repository.path}/src`);
    await commit("first", { "src/few": rewritten({}), "a.go": "1\n", "b.go": "1\n", secret: "s\n" });
    await propose("clean", "main", { "src/few": rewritten({ two: "TWO" }), new: "n\n" });
    await propose("clashing", "main", { "a.go": "mine\n", "b.go": "mine\n" });

    // Both have merged something that began at the first commit, which is near; where they parted is sixty commits away.
    for (const side of ["side-1", "side-2"]) {
      await git("checkout", "-q", "-b", side, "main");
      await commit(side, { [side]: "s\n" });
    }
    await git("checkout", "-q", "-b", "sideways", "main");
    await commit("parted here", { "src/few": rewritten({ five: "FIVE" }) });
    await git("checkout", "-q", "-b", "far");
    addCommits(repository, "far", 60);
    await git("reset", "-q", "--hard", "far");
    await commit("mine", { "src/few": rewritten({ five: "FIVE of mine" }) });
    await git("merge", "-q", "--no-edit", "side-1");
    heads.far = Sha.parse(await git("rev-parse", "far"));
    await git("checkout", "-q", "sideways");
    await git("merge", "-q", "--no-edit", "side-2");
    sideways = Sha.parse(await git("rev-parse", "sideways"));
    await git("checkout", "-q", "main");
    await git("branch", "-q", "-D", "side-1", "side-2", "sideways", "far");

    addCommits(repository, "main", 520);
    await git("checkout", "-q", "main");
    await propose("forced", "main", { forced: "then\n" });
    await git("update-ref", "refs/pull/3/head", "main");

    // Both take a commit of the other: two newest common commits, neither of which will do alone.
    await git("checkout", "-q", "-b", "crossing");
    const ours = await commit("ours", { "src/few": rewritten({ nine: "NINE" }) });
    await git("checkout", "-q", "main");
    const theirs = await commit("theirs", { "src/few": rewritten({ five: "FIVE" }) });
    await git("merge", "-q", "--no-edit", ours);
    await git("checkout", "-q", "crossing");
    await git("merge", "-q", "--no-edit", theirs);
    await git("checkout", "-q", "main");
    await commit("on", { "src/few": rewritten({ five: "FIVE again", nine: "NINE" }) });
    await propose("crossing", "crossing", { "src/few": rewritten({ five: "FIVE", nine: "NINE again" }) });
    await git("branch", "-q", "-D", "crossing");

    await propose("gitlab", "main", { lab: "l\n" }, "refs/merge-requests/5/head");
    await git("checkout", "-q", "--orphan", "work-alien");
    heads.alien = Sha.parse(await commit("nothing in common", { alien: "x\n" }));
    await git("update-ref", "refs/pull/6/head", heads.alien);
    await git("checkout", "-q", "main");
    await git("branch", "-q", "-D", "work-alien");
    await git("branch", "-q", "release/2", "main~3");
    await git("tag", "-a", "v1", "-m", "annotated", "main~2");
    tip = Sha.parse(await commit("tip", { "a.go": "ours\n", "b.go": "ours\n" }));

    [daemon, http, testbuilder] = await Promise.all([
      serveByDaemon(repository.root),
      serveByHttp(repository.root),
      openTestbuilderForTest([repository.path]),
    ]);
  }, 60_000);
  afterAll(async () => {
    for (const thing of [testbuilder, daemon, http, hostile, repository]) await thing[Symbol.asyncDispose]();
  });

  const head = (name: string): Sha => Sha.parse(heads[name]);

  describe.each(["a path", "git://", "http://"])("of a repository at %s", (where) => {
    const address = () =>
      ({ "a path": repository.path, "git://": daemon.address, "http://": http.address })[where] ?? "";
    const merged = async (name: string) => filesIn(await testbuilder.packMerged(address(), head(name), tip, never));

    it("is found by its number, with the tip of the branch that it goes to, on GitHub and on GitLab", async () => {
      const { sha, kind, ref: into, pullRequest, title } = await testbuilder.pullRequest(address(), 1, main, never);
      expect({ sha, kind, into, pullRequest, title }).toEqual({
        sha: head("clean"),
        kind: "pull_request",
        into: "main",
        pullRequest: { number: 1, base: tip },
        title: "clean: a change",
      });
      const other = await testbuilder.pullRequest(address(), 5, ref("release/2"), never);
      expect([other.sha, other.pullRequest?.base]).toEqual([
        head("gitlab"),
        await repository.git("rev-parse", "release/2"),
      ]);
    });

    it("that is not there is told apart from a target that is not there any more", async () => {
      await expect(testbuilder.pullRequest(address(), 99, main, never)).rejects.toEqual(
        new UnknownRefError(ref("PR#99"), []),
      );
      await expect(testbuilder.pullRequest(address(), 1, ref("release/1"), never)).rejects.toEqual(
        new UnknownRefError(ref("release/1"), ["release/2"]),
      );
    });

    it("five hundred commits behind is merged into its target: what both changed is there (O-55)", async () => {
      expect(await merged("clean")).toEqual({
        "src/few": rewritten({ two: "TWO", five: "FIVE again", nine: "NINE" }),
        new: "n\n",
        "a.go": "ours\n",
        "b.go": "ours\n",
        secret: "s\n",
      });
    });

    it("that conflicts says in which files, before it gives anything", async () => {
      await expect(testbuilder.packMerged(address(), head("clashing"), tip, never)).rejects.toEqual(
        new MergeConflictError(["a.go", "b.go"]),
      );
    });

    it("whose history crosses that of its target is merged as git would in a whole clone", async () => {
      expect((await merged("crossing"))["src/few"]).toBe(rewritten({ five: "FIVE again", nine: "NINE again" }));
    });

    it("is merged from where it parted, though an older common commit is nearer", async () => {
      const tree = await testbuilder.packMerged(address(), head("far"), sideways, never);
      expect((await filesIn(tree))["src/few"]).toBe(rewritten({ five: "FIVE of mine" }));
    });

    it("that was pushed over by force is still what was asked for", async () => {
      expect((await testbuilder.pullRequest(address(), 3, main, never)).sha).not.toBe(head("forced"));
      expect((await merged("forced")).forced).toBe("then\n");
    });

    it("that shares no history with its target cannot be merged", async () => {
      await expect(testbuilder.packMerged(address(), head("alien"), tip, never)).rejects.toThrow(
        "has no history in common with its target",
      );
    });

    it("with a commit that is not there is an error that names it", async () => {
      await expect(testbuilder.packMerged(address(), Sha.parse("1".repeat(40)), tip, never)).rejects.toThrow(
        `cannot reach ${address()}: it has no commit 11111111`,
      );
    });

    it("brings its own commits, and changes lines as they are numbered once it is merged", async () => {
      const commits = await testbuilder.between(address(), tip, head("clean"), never);
      expect(commits.map(({ title }) => title)).toEqual(["clean: a change"]);
      expect(await testbuilder.mergedLines(address(), head("clean"), tip, never)).toEqual(
        new Map([
          ["new", [[1, 1]]],
          ["src/few", [[2, 2]]],
        ]),
      );
    });

    it("stands among what the refs of the repository point at, a tag with its commit", async () => {
      const known = await testbuilder.heads(address(), never);
      expect(Object.fromEntries(known)).toEqual({
        "refs/heads/main": tip,
        "refs/heads/release/2": await repository.git("rev-parse", "release/2"),
        "refs/tags/v1": await repository.git("rev-parse", "v1^{commit}"),
        "refs/pull/1/head": head("clean"),
        "refs/pull/2/head": head("clashing"),
        "refs/pull/3/head": await repository.git("rev-parse", "refs/pull/3/head"),
        "refs/pull/4/head": head("crossing"),
        "refs/merge-requests/5/head": head("gitlab"),
        "refs/pull/6/head": head("alien"),
      });
    });
  });

  it("of a bare repository with GitLab's refs alone is found and merged, by path and from a server", async () => {
    const path = `${repository.root}/bare`;
    await repository.git("clone", "-q", "--bare", repository.path, path);
    await repository.git("-C", path, "fetch", "-q", "origin", `${head("clean")}:refs/merge-requests/7/head`);
    for (const address of [path, daemon.address.replace(/repo$/, "bare")]) {
      const found = await testbuilder.pullRequest(address, 7, main, never);
      expect([found.sha, found.pullRequest]).toEqual([head("clean"), { number: 7, base: tip }]);
      expect((await filesIn(await testbuilder.packMerged(address, found.sha, tip, never))).new).toBe("n\n");
      expect((await testbuilder.heads(address, never)).get("refs/merge-requests/7/head")).toBe(head("clean"));
      await expect(testbuilder.pullRequest(address, 1, main, never)).rejects.toThrow(UnknownRefError);
    }
  });

  it("is the same tar to the byte, whoever merges it and when (O-54)", async () => {
    const [here, there] = await Promise.all(
      [repository.path, `${http.address}/.git`].map(async (address) =>
        readAll(await testbuilder.packMerged(address, head("clean"), tip, never)),
      ),
    );
    expect(here?.equals(there ?? Buffer.alloc(0))).toBe(true);
  });

  it("runs nothing that comes with the repository: no hook, no driver, no filter of its configuration", async () => {
    const { git, commit, path } = hostile;
    await mkdir(`${path}/src`);
    const attributes = "* merge=evil filter=evil diff=evil\n";
    await commit("first", { ".gitattributes": attributes, "src/few": rewritten({}) });
    for (const key of ["merge.evil.driver", "filter.evil.clean", "filter.evil.smudge", "diff.evil.command"]) {
      await git("config", key, "touch /cache/owned; cat");
    }
    for (const hook of ["post-checkout", "post-merge", "pre-merge-commit", "reference-transaction"]) {
      await writeFile(`${path}/.git/hooks/${hook}`, "#!/bin/sh\ntouch /cache/owned\n", { mode: 0o755 });
    }
    await git("config", "core.fsmonitor", "touch /cache/owned");
    const bare = ["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"];
    const made = async (changes: Readonly<Record<string, string>>) => {
      await writeFile(`${path}/src/few`, rewritten(changes));
      await git(...bare, "-c", "filter.evil.clean=cat", "commit", "-q", "-a", "-m", "changed");
      return Sha.parse(await git("rev-parse", "HEAD"));
    };
    const first = await git("rev-parse", "HEAD");
    const theirs = await made({ two: "TWO" });
    await git(...bare, "-c", "filter.evil.clean=cat", "-c", "filter.evil.smudge=cat", "reset", "-q", "--hard", first);
    const ours = await made({ eight: "EIGHT" });
    const files = await filesIn(await testbuilder.packMerged(path, theirs, ours, never));
    expect(files["src/few"]).toBe(rewritten({ two: "TWO", eight: "EIGHT" }));
    const { container } =
      (await connectDocker(undefined).find({ "docker-ci.testbuilder": testbuilder.instance }))[0] ?? {};
    const listing = await container?.exec(["ls", "/cache"], { signal: never });
    const names = listing === undefined ? "owned" : (await readAll(listing.stdout)).toString();
    expect(names).not.toContain("owned");
    expect(existsSync("/cache/owned")).toBe(false);
  });

  it("carries the submodules of both sides", async () => {
    await using outer = await openGitRepository();
    await outer.git("clone", "-q", repository.path, `${outer.root}/inner`);
    const begun = await outer.commit("first", { top: "t\n" });
    await outer.git("checkout", "-q", "-b", "work");
    await outer.git("submodule", "--quiet", "add", "../inner", "vendor/inner");
    const proposed = Sha.parse(await outer.commit("with a submodule", { proposed: "p\n" }));
    await outer.git("checkout", "-q", "-f", "-B", "main", begun);
    const base = Sha.parse(await outer.commit("on", { on: "o\n" }));
    await using server = await serveByDaemon(outer.root);
    const files = await filesIn(await testbuilder.packMerged(server.address, proposed, base, never));
    expect(Object.keys(files)).toEqual(expect.arrayContaining(["top", "on", "proposed", "vendor/inner/a.go"]));
  });

  it("of a target that was deleted meanwhile is merged into what it was", async () => {
    const base = Sha.parse(await repository.git("rev-parse", "release/2"));
    await repository.git("branch", "-q", "-D", "release/2");
    for (const address of [repository.path, daemon.address, http.address]) {
      const files = await filesIn(await testbuilder.packMerged(address, head("clean"), base, never));
      expect(files).toMatchObject({ new: "n\n", "a.go": "1\n" });
    }
  });

  it("of an old server, which gives only what its refs point at, takes the whole history", async () => {
    const instance = `${testbuilder.instance}-old`;
    const old = openTestbuilder({
      ...testbuilderOptions(instance, []),
      env: { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "protocol.version", GIT_CONFIG_VALUE_0: "0" },
    });
    try {
      const behind = Sha.parse(await repository.git("rev-parse", "main~3"));
      const { sha } = await old.pullRequest(daemon.address, 1, main, never);
      expect(await filesIn(await old.packMerged(daemon.address, sha, behind, never))).toMatchObject({ new: "n\n" });
      expect(await filesIn(await old.packMerged(daemon.address, sha, tip, never))).toMatchObject({ "a.go": "ours\n" });
      expect((await old.between(daemon.address, tip, sha, never)).map(({ title }) => title)).toEqual([
        "clean: a change",
      ]);
    } finally {
      await old[Symbol.asyncDispose]();
      await removeVolume(`docker-ci-${instance}`);
    }
  });

  it("of a clone that is cut off too early says so", async () => {
    const shallow = `${repository.root}/shallow`;
    await repository.git("clone", "-q", "--depth=2", `file://${repository.path}`, shallow);
    const fetch = ["-C", shallow, "fetch", "-q", "--depth=1", `file://${repository.path}`, head("clean")];
    execFileSync("git", fetch);
    await expect(testbuilder.packMerged(shallow, head("clean"), tip, never)).rejects.toThrow(
      `cannot reach ${shallow}: it is cut off before what`,
    );
  });
});
