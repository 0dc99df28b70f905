/** What a report calls a file, and what the repository calls it. */
import type { CoverageReport } from "./coverage.ts";
import { renameFiles } from "./merge-coverage.ts";

/**
 * The report with paths of the repository in place of the tool's: absolute ones of a container (`/workspace/src/a.js`), Go's
 * import paths (`github.com/x/y/a.go`), and those that begin in a folder of the repository. Files that the repository does not
 * have, generated ones for instance, keep theirs.
 * @param files all files of the repository.
 */
export function normalisePaths(report: CoverageReport, files: ReadonlySet<string>): CoverageReport {
  let byName: ReadonlyMap<string, readonly string[]> | undefined;
  return renameFiles(report, (path) => {
    const suffix = longestSuffix(path, files);
    if (suffix !== undefined) return suffix;
    byName ??= groupByName(files);
    const candidates = (byName.get(nameOf(path)) ?? []).filter((file) => file.endsWith(`/${path}`));
    const [only, ...others] = candidates;
    return only === undefined || others.length > 0 ? path : only;
  });
}

function longestSuffix(path: string, files: ReadonlySet<string>): string | undefined {
  for (let at = 0; at !== -1; ) {
    const suffix = path.slice(at);
    if (files.has(suffix)) return suffix;
    const slash = path.indexOf("/", at);
    at = slash === -1 ? -1 : slash + 1;
  }
  return undefined;
}

function groupByName(files: ReadonlySet<string>): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const file of files) {
    const known = groups.get(nameOf(file));
    if (known === undefined) groups.set(nameOf(file), [file]);
    else known.push(file);
  }
  return groups;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
