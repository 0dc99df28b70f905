/** Repositories read by git itself, on this machine and without a testbuilder: quick enough for hundreds of questions. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { RuntimeError } from "../../src/errors.ts";
import { GitRef, Sha } from "../../src/names.ts";
import { type Revision, type Revisions, UnknownRefError } from "../../src/revisions.ts";

const run = promisify(execFile);

export interface GitRevisions extends Revisions {
  /** How often a repository was asked what its refs point at. */
  readonly looks: () => number;
  /** With a reason, nothing can be reached. */
  away(reason: string | undefined): void;
}

export function gitRevisions(): GitRevisions {
  let looks = 0;
  let trouble: string | undefined;
  const git = async (repo: string, ...args: string[]): Promise<string> => {
    if (trouble !== undefined) throw new RuntimeError(`cannot reach ${repo}: ${trouble}`);
    return (await run("git", ["-C", repo, ...args], { maxBuffer: 64 * 1024 ** 2 })).stdout.trim();
  };
  const commit = async (
    repo: string,
    name: string,
    ref: GitRef,
  ): Promise<Pick<Revision, "sha" | "title" | "author" | "committedAt">> => {
    const reachable = async (): Promise<string> =>
      git(repo, "log", "-1", "--format=%H%x00%s%x00%an%x00%cI", `${name}^{commit}`);
    if (trouble !== undefined) await reachable();
    const [sha, title = "", author = "", at = ""] = (
      await reachable().catch(() => {
        throw new UnknownRefError(ref, []);
      })
    ).split("\0");
    return { sha: Sha.parse(sha), title, author, committedAt: new Date(at).toISOString() };
  };
  return {
    looks: () => looks,
    away: (reason) => {
      trouble = reason;
    },
    async resolve(repo, ref) {
      return { ...(await commit(repo, ref, ref)), kind: /^[0-9a-f]{40}$/.test(ref) ? "commit" : "branch", ref };
    },
    async pullRequest(repo, number, into) {
      const ref = GitRef.parse(`PR#${number}`);
      const base = await commit(repo, into, into);
      return {
        ...(await commit(repo, `refs/pull/${number}/head`, ref)),
        kind: "pull_request",
        ref: into,
        pullRequest: { number, base: base.sha },
      };
    },
    async tag(repo, name, sha) {
      await git(repo, "tag", name, sha);
    },
    message: (repo, sha) => git(repo, "show", "-s", "--format=%B", sha),
    async heads(repo) {
      looks += 1;
      const lines = (await git(repo, "for-each-ref", "--format=%(refname) %(objectname) %(*objectname)")).split("\n");
      return new Map(
        lines.filter(Boolean).map((line) => {
          const [ref = "", sha = "", peeled = ""] = line.split(" ");
          return [ref, Sha.parse(peeled === "" ? sha : peeled)];
        }),
      );
    },
    async between(repo, from, to) {
      const log = await git(
        repo,
        "log",
        "--no-merges",
        "-50",
        "--name-only",
        "--format=%x01%H%x00%an%x00%s",
        `${from}..${to}`,
      );
      return log
        .split("\u0001")
        .filter(Boolean)
        .map((entry) => {
          const [head = "", ...files] = entry.split("\n").filter(Boolean);
          const [sha = "", author = "", title = ""] = head.split("\0");
          return { sha: Sha.parse(sha), author, title, files };
        });
    },
    async pack() {
      throw new Error("nothing here is built");
    },
    async packMerged() {
      throw new Error("nothing here is built");
    },
    async mergeBase(repo, branch, sha) {
      const base = await git(repo, "merge-base", branch, sha).catch(() => "" /* they have none in common */);
      return base === "" ? undefined : Sha.parse(base);
    },
    async changedLines() {
      return new Map();
    },
    async mergedLines() {
      return new Map();
    },
    async [Symbol.asyncDispose]() {
      // Nothing is open.
    },
  };
}
