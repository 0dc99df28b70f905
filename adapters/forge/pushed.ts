/** Pushes as GitHub, Gitea and GitLab write them, which is nearly the same. */
import { toUSVString } from "node:util";
import { z } from "zod";
import { GitRef, Sha } from "../../src/names.ts";
import type { ChangeOfRepository } from "./projects.ts";

/** Beyond these nobody looks for which files changed: it counts as unknown, and what is unknown is built. */
const FILES_MAX = 3_000;
const PATHS_LENGTH_MAX = 64 * 1024;
/** The newest ones say what matters, such as [skip ci]. */
const MESSAGES_MAX = 20;
const MESSAGE_LENGTH_MAX = 2_000;
const ZEROS = /^0+$/;
const CONTROLS = /(?!\n)\p{Cc}/gu;

const Paths = z.array(z.string()).optional();
export const Commits = z.array(z.object({ message: z.string(), added: Paths, modified: Paths, removed: Paths }));
export type Commits = z.output<typeof Commits>;

export interface Push {
  readonly ref: string;
  readonly before: string;
  readonly after: string;
  /** Oldest first. */
  readonly commits: Commits;
  /** Whether these commits, and what they changed, are all that came. */
  readonly isWhole: boolean;
  /** What a tag leads to; `after` may be an object of its own, with the tag's message. */
  readonly commit: string | undefined;
  readonly by: string;
}

/** @returns a sentence where there is nothing to build: a deleted branch (O-44), a ref of the forge's own (O-45). */
export function readPush(push: Push): ChangeOfRepository | string {
  const [, space, written = ""] = /^refs\/(heads|tags)\/(.+)$/s.exec(push.ref) ?? [];
  if (space === undefined) return "Only branches and tags are built.";
  if (ZEROS.test(push.after)) return `The ${space === "heads" ? "branch" : "tag"} was deleted.`;
  const name = GitRef.safeParse(written).data;
  const after = Sha.safeParse(push.after).data;
  if (name === undefined || after === undefined) return "A name like this is not built.";
  if (space === "tags") {
    return { kind: "tag", tag: name, sha: Sha.safeParse(push.commit).data ?? after, by: push.by };
  }
  const before = ZEROS.test(push.before) ? undefined : Sha.safeParse(push.before).data;
  return {
    kind: "push",
    branch: name,
    before,
    after,
    messages: push.commits.slice(-MESSAGES_MAX).map(({ message }) => cleanMessage(message)),
    files: before === undefined || !push.isWhole ? undefined : changedFiles(push.commits),
    by: push.by,
  };
}

function cleanMessage(message: string): string {
  return toUSVString(message.slice(0, MESSAGE_LENGTH_MAX).replace(CONTROLS, ""));
}

function changedFiles(commits: Commits): readonly string[] | undefined {
  const files = new Set<string>();
  let length = 0;
  for (const { added, modified, removed } of commits) {
    // A forge that tells of no files: of no file at all would be something else.
    if (added === undefined && modified === undefined && removed === undefined) return undefined;
    for (const path of [...(added ?? []), ...(modified ?? []), ...(removed ?? [])]) {
      if (files.has(path)) continue;
      length += path.length;
      if (files.size === FILES_MAX || length > PATHS_LENGTH_MAX || /\p{Cc}/u.test(path)) return undefined;
      files.add(path);
    }
  }
  return [...files];
}
