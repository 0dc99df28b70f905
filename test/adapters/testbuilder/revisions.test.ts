/** What a branch, a tag or a commit of a real repository turns out to be, wherever the repository is. */
import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectDocker } from "../../../adapters/docker/index.ts";
import { openTestbuilder, type Testbuilder } from "../../../adapters/testbuilder/index.ts";
import { RuntimeError } from "../../../src/errors.ts";
import { GitRef, Sha } from "../../../src/names.ts";
import { UnknownRefError } from "../../../src/revisions.ts";
import { never, readAll } from "../../support/docker.ts";
import {
  type GitRepository,
  type GitServer,
  openGitRepository,
  serveByDaemon,
  serveByHttp,
  serveSilence,
} from "../../support/git-servers.ts";
import { openSshd } from "../../support/sshd.ts";
import { filesIn, openTestbuilderForTest, testbuilderOptions } from "../../support/testbuilder.ts";

const runtime = connectDocker(undefined);
const ref = (name: string) => GitRef.parse(name);
const sha = (name: string) => Sha.parse(name);

describe("a revision", () => {
  let repository: GitRepository;
  let testbuilder: Testbuilder & { instance: string };
  let daemon: GitServer;
  let http: GitServer;
  let first: string;
  let second: string;
  let third: string;

  beforeAll(async () => {
    repository = await openGitRepository();
    first = await repository.commit("first", {
      a: "1\n",
      ".gitattributes": "secret export-ignore\nversion export-subst\n",
    });
    second = await repository.commit('second: "quotes" and \u00fc', { secret: "kept\n", version: "$Format:%H$\n" });
    await repository.git("tag", "v1");
    await repository.git("tag", "-a", "v2", "-m", "annotated");
    await repository.git("checkout", "-q", "-b", "feature/x");
    third = await repository.commit("third", { b: "3\n" });
    await repository.git("branch", "v1-branch");
    await repository.git("checkout", "-q", "-b", "spoken");
    await repository.commit("spoken\n\nMore of \u00fc.\n\n[skip ci]", {});
    await repository.git("tag", "feature/x", first);
    await repository.git("checkout", "-q", "main");
    [daemon, http, testbuilder] = await Promise.all([
      serveByDaemon(repository.root),
      serveByHttp(repository.root),
      openTestbuilderForTest([repository.path]),
    ]);
  });
  afterAll(async () => {
    for (const thing of [testbuilder, daemon, http, repository]) await thing[Symbol.asyncDispose]();
  });

  describe.each(["a path", "git://", "http://"])("of a repository at %s", (where) => {
    const address = () =>
      ({ "a path": repository.path, "git://": daemon.address, "http://": http.address })[where] ?? "";

    it("is found by branch, by tag, by commit, and by the beginning of a commit (O-51)", async () => {
      const names = ["main", "feature/x", "v1", "v2", second, first.slice(0, 10), "HEAD"];
      const found = [];
      for (const name of names) {
        const revision = await testbuilder.resolve(address(), ref(name), never);
        found.push([revision.ref, revision.kind, revision.sha, revision.title]);
      }
      const title = 'second: "quotes" and \u00fc';
      expect(found).toEqual([
        ["main", "branch", second, title],
        // A branch goes before a tag of the same name.
        ["feature/x", "branch", third, "third"],
        ["v1", "tag", second, title],
        ["v2", "tag", second, title],
        [second, "commit", second, title],
        [first.slice(0, 10), "commit", first, "first"],
        ["HEAD", "commit", second, title],
      ]);
    });

    it("has the author and the time of its commit", async () => {
      const { author, committedAt } = await testbuilder.resolve(address(), ref("main"), never);
      const seconds = await repository.git("log", "-1", "--format=%ct", "main");
      expect([author, Date.parse(committedAt)]).toEqual(["Ada", Number(seconds) * 1000]);
    });

    it("has all that its commit says, body and all", async () => {
      const sha = Sha.parse(await repository.git("rev-parse", "spoken"));
      expect(await testbuilder.message(address(), sha, never)).toBe("spoken\n\nMore of \u00fc.\n\n[skip ci]");
      await expect(testbuilder.message(address(), Sha.parse("1".repeat(40)), never)).rejects.toThrow(
        "it has no commit",
      );
    });

    it("tells what came in since another: whose commits, newest first", async () => {
      const commits = await testbuilder.between(address(), sha(first), sha(third), never);
      expect(commits).toEqual([
        { sha: third, author: "Ada", title: "third", files: ["b"] },
        { sha: second, author: "Ada", title: 'second: "quotes" and \u00fc', files: ["secret", "version"] },
      ]);
    });

    it("is packed as a checkout would lay it out", async () => {
      expect(await filesIn(await testbuilder.pack(address(), sha(second), never))).toEqual({
        ".gitattributes": "secret export-ignore\nversion export-subst\n",
        a: "1\n",
        secret: "kept\n",
        version: "$Format:%H$\n",
      });
    });

    it("that is not there is answered with the nearest names", async () => {
      const error = await testbuilder.resolve(address(), ref("mian"), never).catch((thrown: unknown) => thrown);
      expect(error).toEqual(new UnknownRefError(ref("mian"), ["main"]));
      for (const name of ["0123456789", "0123456789012345678901234567890123456789"]) {
        await expect(testbuilder.resolve(address(), ref(name), never)).rejects.toThrow(UnknownRefError);
      }
      await expect(readAll(await testbuilder.pack(address(), sha("0".repeat(40)), never))).rejects.toThrow(
        `cannot reach ${address()}: it has no commit 0000000000`,
      );
    });
  });

  it("is resolved and packed by many at once", async () => {
    const both = async (name: string, expected: number) => {
      const revision = await testbuilder.resolve(`${daemon.address}/.git`, ref(name), never);
      const files = await filesIn(await testbuilder.pack(`${daemon.address}/.git`, revision.sha, never));
      expect(Object.keys(files)).toHaveLength(expected);
    };
    await Promise.all([both("main", 4), both("feature/x", 5), both("v1", 4), both(first, 2), both("main", 4)]);
  });

  it("is found again after the testbuilder's container was removed", async () => {
    const [found] = await runtime.find({ "docker-ci.testbuilder": testbuilder.instance });
    await found?.container.remove();
    expect((await testbuilder.resolve(repository.path, ref("main"), never)).sha).toBe(second);
    const [again] = await runtime.find({ "docker-ci.testbuilder": testbuilder.instance });
    await again?.container.stop(0);
    expect((await testbuilder.resolve(repository.path, ref("main"), never)).sha).toBe(second);
  });

  it("is answered by the container that an earlier process left, unless it would be made otherwise now", async () => {
    const containers = async () =>
      (await runtime.find({ "docker-ci.testbuilder": testbuilder.instance })).map(({ container }) => container.id);
    const options = testbuilderOptions(testbuilder.instance, [repository.path]);
    await testbuilder.warm(never);
    const before = await containers();
    await openTestbuilder(options).resolve(repository.path, ref("main"), never);
    expect(await containers()).toEqual(before);
    await openTestbuilder({ ...options, env: { HTTPS_PROXY: "" } }).resolve(repository.path, ref("main"), never);
    const after = await containers();
    expect(after).toHaveLength(1);
    expect(after).not.toEqual(before);
  });

  it("carries its submodules, also those of a relative address", async () => {
    await using outer = await openGitRepository();
    await outer.git("clone", "-q", repository.path, `${outer.root}/inner`);
    await outer.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../inner", "vendor/inner");
    const commit = await outer.commit("with a submodule", { top: "t\n" });
    await using server = await serveByDaemon(outer.root);
    const files = await filesIn(await testbuilder.pack(server.address, sha(commit), never));
    expect(Object.keys(files).toSorted()).toEqual(
      [
        ".gitmodules",
        "top",
        ...[".gitattributes", "a", "secret", "version"].map((name) => `vendor/inner/${name}`),
      ].toSorted(),
    );
  });

  it("of a private repository takes the password in its address, which is never shown", async () => {
    await using server = await serveByHttp(repository.root, { user: "ci", password: "s3cret/" });
    const address = server.address.replace("//", "//ci:s3cret%2F@");
    expect((await testbuilder.resolve(address, ref("main"), never)).sha).toBe(second);
    const wrong = server.address.replace("//", "//ci:guess@");
    await expect(testbuilder.resolve(wrong, ref("main"), never)).rejects.toThrow(
      new RuntimeError(`cannot reach ${server.address}: it does not accept the user and the password`),
    );
    await expect(testbuilder.resolve(server.address, ref("main"), never)).rejects.toThrow(
      "or takes a user and a password",
    );
  });

  it("is read over ssh with the operator's own key, from hosts that they know", async () => {
    await using sshd = await openSshd();
    const address = `${sshd.address}${repository.path}`;
    const home = process.env.HOME;
    process.env.HOME = sshd.home;
    await using overSsh = await openTestbuilderForTest([address]).finally(() => {
      process.env.HOME = home;
    });
    expect((await overSsh.resolve(address, ref("main"), never)).sha).toBe(second);
    expect(Object.keys(await filesIn(await overSsh.pack(address, sha(second), never)))).toHaveLength(4);
    await writeFile(`${sshd.home}/.ssh/known_hosts`, "");
    await expect(overSsh.resolve(address, ref("main"), never)).rejects.toThrow(
      "its host key is not in ~/.ssh/known_hosts",
    );
  });

  it("is given up on a server that says nothing", async () => {
    await using server = await serveSilence();
    const impatient = openTestbuilder({
      ...testbuilderOptions(testbuilder.instance, [repository.path]),
      answerSeconds: 2,
    });
    await expect(impatient.resolve(server.address, ref("main"), never)).rejects.toThrow(
      `cannot reach ${server.address}: no answer within 2 s`,
    );
  });

  it("is given up with its caller's reason", async () => {
    await using server = await serveSilence();
    const signal = AbortSignal.timeout(300);
    await expect(testbuilder.resolve(server.address, ref("main"), signal)).rejects.toBe(
      await new Promise((resolve) => signal.addEventListener("abort", () => resolve(signal.reason))),
    );
  });

  it.each([
    ["/no/such/folder", "there is nothing at that path"],
    ["http://127.0.0.1:1/x", "connection refused"],
    ["https://ada:pw@nope.invalid/x.git", "could not resolve host nope.invalid"],
    ["git@nope.invalid:x.git", "could not resolve host nope.invalid"],
    ["ext::sh -c touch% /cache/owned", "ext is not allowed as a transport"],
  ])("of a repository that cannot be reached says why: %s", async (address, reason) => {
    const shown = address.replace("ada:pw@", "");
    await expect(testbuilder.resolve(address, ref("main"), never)).rejects.toThrow(
      new RuntimeError(`cannot reach ${shown}: ${reason}`),
    );
  });
});
