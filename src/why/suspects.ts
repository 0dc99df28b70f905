/** Who may have done it: those first whose commits touched what failed. */
import type { Suspect } from "../incidents/incident.ts";

export interface RankedSuspect {
  readonly suspect: Suspect;
  /** The file of the commit that comes closest to those that failed; undefined where none does. */
  readonly touched: string | undefined;
}

/**
 * In the order given, but those first who touched one of the files, then a file of the same name but for `_test` and the like, then
 * the same folder.
 * @param files as an explanation names them: paths of the repository, perhaps with what a container has in front, or bare names.
 */
export function suspectsFirst(suspects: readonly Suspect[], files: readonly string[]): RankedSuspect[] {
  return suspects
    .map((suspect) => ({ suspect, ...closest(suspect.files ?? [], files) }))
    .sort((a, b) => b.rank - a.rank)
    .map(({ suspect, touched }) => ({ suspect, touched }));
}

function closest(changed: readonly string[], files: readonly string[]): { rank: number; touched: string | undefined } {
  let best: { rank: number; touched: string | undefined } = { rank: 0, touched: undefined };
  for (const path of changed) {
    const rank = Math.max(0, ...files.map((file) => closeness(path, file)));
    if (rank > best.rank) best = { rank, touched: path };
  }
  return best;
}

function closeness(path: string, file: string): number {
  if (isSame(path, file)) return 3;
  if (stem(path) === stem(file)) return 2;
  return isSame(folder(path), folder(file)) ? 1 : 0;
}

/** One is the other, or its end. Nothing is the same as nothing: the top of a repository is everybody's folder. */
function isSame(a: string, b: string): boolean {
  return a !== "" && b !== "" && (a === b || a.endsWith(`/${b}`) || b.endsWith(`/${a}`));
}

function folder(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** `blobupload` for `blobupload.go`, `blobupload_test.go`, `BlobUpload.test.ts` and `test_blobupload.py`. */
function stem(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  return name.replace(/\.\w+$/, "").replace(/^test_|[._-](?:test|tests|spec)$/g, "");
}
