/** Coverage by folder, as Go counts it by package. */
import type { CoverageReport, FileCoverage } from "./coverage.ts";

export interface FolderCoverage {
  /** Without a slash at its end; `.` is the top. */
  readonly path: string;
  readonly covered: number;
  readonly total: number;
  readonly files: readonly FileCoverage[];
}

/** Each folder with the files that lie in it itself, by path. */
export function byFolder({ files }: Pick<CoverageReport, "files">): FolderCoverage[] {
  const folders = new Map<string, FileCoverage[]>();
  for (const file of files) {
    const path = file.path.slice(0, Math.max(0, file.path.lastIndexOf("/"))) || ".";
    const known = folders.get(path);
    if (known === undefined) folders.set(path, [file]);
    else known.push(file);
  }
  return [...folders].map(([path, own]) => {
    const covered = own.reduce((sum, file) => sum + file.covered, 0);
    const total = own.reduce((sum, file) => sum + file.total, 0);
    return { path, covered, total, files: own };
  });
}

/** The least covered first, of equal ones the largest; what has nothing to cover is left out. */
export function leastCovered<Part extends { readonly covered: number; readonly total: number }>(
  parts: readonly Part[],
): Part[] {
  const share = ({ covered, total }: Part): number => covered / total;
  return parts.filter(({ total }) => total > 0).toSorted((a, b) => share(a) - share(b) || b.total - a.total);
}
