/** The files of the data folder that go into a backup, always in the same order. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ifMissing } from "../missing.ts";

export interface FoundFile {
  /** In the data folder, with slashes. */
  readonly path: string;
  readonly kind: "file" | "link";
}

/**
 * What is made anew (Redis' own files, which are kept as records; checkouts), what backups are made of, and what a restore put
 * aside. Sockets are left out wherever they are.
 */
const LEFT_OUT = /^(?:redis|backup|restore|restore\.json|before-[^/]*|docker-ci\/work)$/;
const ARTIFACTS = "docker-ci/artifacts";

/** The program's log and what was typed in the terminal: a backup itself adds to them. */
export function isNoNews(path: string): boolean {
  return path === "docker-ci/docker-ci.log" || path === "history";
}

/** Whether it stays where it is when a backup is put in the place of the others. */
function isLeftOut(path: string): boolean {
  return LEFT_OUT.test(path);
}

/** What is there when its folder is read; one that goes meanwhile is the reader's to miss. */
export async function* walk(
  folder: string,
  { artifacts }: { readonly artifacts: boolean },
): AsyncGenerator<FoundFile, void, undefined> {
  async function* inside(path: string): AsyncGenerator<FoundFile, void, undefined> {
    const entries = await readdir(join(folder, path), { withFileTypes: true }).catch(ifMissing([] /* it is gone */));
    const sorted = entries.map((entry) => ({ entry, at: path === "" ? entry.name : `${path}/${entry.name}` }));
    sorted.sort((a, b) => (a.at < b.at ? -1 : 1));
    for (const { entry, at } of sorted) {
      if (isLeftOut(at) || (!artifacts && at === ARTIFACTS)) continue;
      if (entry.isDirectory()) yield* inside(at);
      else if (entry.isFile()) yield { path: at, kind: "file" };
      else if (entry.isSymbolicLink()) yield { path: at, kind: "link" };
    }
  }
  yield* inside("");
}
