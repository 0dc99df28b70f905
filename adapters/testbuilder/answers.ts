/** What the testbuilder's `revision` prints, question by question. */
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { type GitRef, Sha } from "../../src/names.ts";
import { cleanName } from "../../src/results/clean-name.ts";
import { type ChangedLines, type Commit, Revision } from "../../src/revisions.ts";

/** A change of more files or ranges is told up to here. */
const RANGES_MAX = 200_000;
/** Files in conflict beyond these are not told. */
const CONFLICTS_MAX = 100;

/** What `revision resolve` and `revision pull` print. @param number of the pull request that was asked for. */
export function parseRevision(ref: GitRef, answer: string, number?: number): Revision {
  const [kind, sha, author, seconds, title, base] = answer.split("\0").map((field) => field.trim());
  const committedAt = new Date(Number(seconds) * 1000).toISOString();
  const pullRequest = number === undefined ? {} : { pullRequest: { number, base } };
  return Revision.parse({ sha, kind, ref, title, author, committedAt, ...pullRequest });
}

/** What `revision merge` prints where it cannot be done: the files that stand in the way, each ended by a NUL. */
export function parseConflicts(answer: string): string[] {
  return answer.split("\0").filter(Boolean).slice(0, CONFLICTS_MAX).map(cleanName);
}

/** What `revision heads` prints: a line for each ref; of an annotated tag one more for its commit, with `^{}` behind the name. */
export function parseHeads(answer: string): Map<string, Sha> {
  const heads = new Map<string, Sha>();
  const commits = new Map<string, Sha>();
  for (const text of answer.split("\n")) {
    const [id, ref] = text.split(/\s+/, 2);
    const sha = Sha.safeParse(id);
    if (!sha.success || ref === undefined) continue;
    if (ref.endsWith("^{}")) commits.set(ref.slice(0, -3), sha.data);
    else heads.set(ref, sha.data);
  }
  for (const [ref, sha] of commits) heads.set(ref, sha);
  return heads;
}

/** What `revision between` prints: commit, author, title, paths and an empty text, and so on. */
export function parseCommits(answer: string): Commit[] {
  const fields = answer.split("\0").slice(0, -1);
  const commits: Commit[] = [];
  for (let at = 0; at + 2 < fields.length; ) {
    const [sha, author = "", title = ""] = fields.slice(at, at + 3);
    const end = fields.indexOf("", at + 3);
    const files = fields.slice(at + 3, end === -1 ? fields.length : end);
    commits.push({ sha: Sha.parse(sha), author: author.trim(), title: title.trim(), files });
    at = end === -1 ? fields.length : end + 1;
  }
  return commits;
}

/** What `revision changed` prints, a patch without context; one that is cut off tells of what came before. */
export async function readChangedLines(patch: Readable): Promise<ChangedLines> {
  const changed = new Map<string, [first: number, last: number][]>();
  let path: string | undefined;
  let ranges = 0;
  /** Lines of the hunk that are still to come: one of them may look like anything. */
  let left = 0;
  for await (const text of createInterface({ input: patch, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (left > 0) {
      // "\\ No newline at end of file" is not counted.
      if (text.startsWith("+") || text.startsWith("-")) left -= 1;
      continue;
    }
    if (text.startsWith("+++ ")) path = pathOf(text.slice(4));
    const hunk = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(text);
    if (hunk === null) continue;
    const [, removed = "1", first = "0", added = "1"] = hunk;
    left = Number(removed) + Number(added);
    if (path === undefined || Number(added) === 0 || ranges >= RANGES_MAX) continue;
    ranges += 1;
    const range: [number, number] = [Number(first), Number(first) + Number(added) - 1];
    const known = changed.get(path);
    if (known === undefined) changed.set(path, [range]);
    else known.push(range);
  }
  return changed;
}

/** `b/src/a.ts`, quoted as C does where it has strange things in it, with a tab behind it where it has a space. */
function pathOf(written: string): string | undefined {
  const text = written.replace(/\t$/, "");
  const quoted = /^"b\/(.*)"$/.exec(text)?.[1];
  if (quoted !== undefined) return unquote(quoted);
  return text.startsWith("b/") ? text.slice(2) : undefined;
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  t: "\t",
  n: "\n",
  v: "\v",
  f: "\f",
  r: "\r",
};

function unquote(text: string): string {
  return text.replace(/\\([0-7]{3}|.)/g, (_, code: string) =>
    code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : (ESCAPES[code] ?? code),
  );
}
