/** The port to git: what a name means at this moment, and the tree that it stands for. */
import type { Readable } from "node:stream";
import { z } from "zod";
import { UserError } from "./errors.ts";
import { GitRef, Sha } from "./names.ts";

/** One commit that is to be built, and how it was asked for. */
export const Revision = z.strictObject({
  sha: Sha,
  /** What `ref` turned out to be. */
  kind: z.enum(["branch", "tag", "commit", "pull_request"]),
  /** The branch, tag or abbreviated commit as people know it; of a pull request the branch that it goes to. */
  ref: GitRef,
  /** Of a pull request, whose head `sha` is; it is tested merged into `base`, the tip of its target branch at that time. */
  pullRequest: z.strictObject({ number: z.number().int().positive(), base: Sha }).optional(),
  title: z.string(),
  author: z.string(),
  committedAt: z.iso.datetime(),
});
export type Revision = z.infer<typeof Revision>;

/** No branch, tag or commit of that name; `nearest` may be empty. */
export class UnknownRefError extends UserError {
  readonly ref: GitRef;
  readonly nearest: readonly string[];

  constructor(ref: GitRef, nearest: readonly string[]) {
    super(`no branch, tag or commit "${ref}"`);
    this.ref = ref;
    this.nearest = nearest;
  }
}

/** A pull request cannot be merged into its target: a result, told with the files; none where they have no history in common. */
export class MergeConflictError extends Error {
  override readonly name = "MergeConflictError";
  readonly files: readonly string[];

  constructor(files: readonly string[]) {
    super(
      files.length === 0
        ? "has no history in common with its target"
        : `conflicts with its target in ${files.slice(0, 5).join(", ")}${files.length > 5 ? ` and ${files.length - 5} more` : ""}`,
    );
    this.files = files;
  }
}

/**
 * Git repositories, read in the testbuilder. `repo` is an address or an absolute path, as configured. Both throw RuntimeError
 * when the repository cannot be reached (`cannot reach https://…: could not resolve host`), and the signal's reason when it
 * aborts.
 */
export interface Revisions extends AsyncDisposable {
  /** @throws UnknownRefError */
  resolve(repo: string, ref: GitRef, signal: AbortSignal): Promise<Revision>;
  /**
   * The tree of a commit as a tar stream, as a checkout would lay it out, without `.git`. Submodules are filled in. The stream
   * fails with a RuntimeError when git does.
   */
  pack(repo: string, sha: Sha, signal: AbortSignal): Promise<Readable>;
  /**
   * A pull request by its number, as it is now, and the tip of the branch `into`. Asked for at `refs/pull/<n>/head` (GitHub, Gitea,
   * Forgejo) and `refs/merge-requests/<n>/head` (GitLab). @throws UnknownRefError where there is none of that number.
   */
  pullRequest(repo: string, number: number, into: GitRef, signal: AbortSignal): Promise<Revision>;
  /** The tree of `head` merged into `base`, as `pack` gives one. @throws MergeConflictError before it gives anything. */
  packMerged(repo: string, head: Sha, base: Sha, signal: AbortSignal): Promise<Readable>;
  /** All that a commit says of itself, title and body; its first 64 KB. */
  message(repo: string, sha: Sha, signal: AbortSignal): Promise<string>;
  /**
   * Sets a tag at a commit of the repository, with the credentials that it is read with. The same tag at the same commit is no error.
   * @throws RuntimeError where it is at another one, or may not be set.
   */
  tag(repo: string, name: GitRef, sha: Sha, signal: AbortSignal): Promise<void>;
  /** What every ref of the repository points at: `refs/heads/main`, `refs/tags/v1` (the commit), `refs/pull/12/head`. */
  heads(repo: string, signal: AbortSignal): Promise<ReadonlyMap<string, Sha>>;
  /**
   * The commits that `to` has and `from` has not, merges left out, newest first, 50 at the most. Where `from` is not among the last
   * fifty, or was taken out of the history by force, those that lead to `to`.
   */
  between(repo: string, from: Sha, to: Sha, signal: AbortSignal): Promise<readonly Commit[]>;
  /**
   * The newest commit that both have in their history; `undefined` when they have none in common. `branch` is the name of a branch
   * as it is now.
   */
  mergeBase(repo: string, branch: GitRef, sha: Sha, signal: AbortSignal): Promise<Sha | undefined>;
  /** What `to` changed since `from`; binary and deleted files are left out. */
  changedLines(repo: string, from: Sha, to: Sha, signal: AbortSignal): Promise<ChangedLines>;
  /** What `base` changes when `head` is merged into it, as lines are numbered in what `packMerged` gives. @throws MergeConflictError */
  mergedLines(repo: string, head: Sha, base: Sha, signal: AbortSignal): Promise<ChangedLines>;
}

export interface Commit {
  readonly sha: Sha;
  readonly author: string;
  readonly title: string;
  /** Paths that it changed, 200 at the most. */
  readonly files: readonly string[];
}

/** Paths to the ranges of lines, first and last, that a change added or rewrote there, as they are numbered after it. */
export type ChangedLines = ReadonlyMap<string, readonly (readonly [first: number, last: number])[]>;
