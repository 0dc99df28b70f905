/** What of a change is worth a build: `branches:`, `paths:`, `paths_ignore:` and `[skip ci]`. */
import type { Project } from "../config.ts";
import { matchesPattern } from "../pipeline/condition.ts";
import { pathPattern } from "../results/path-pattern.ts";

const SKIP_WORDS = /\[(?:skip ci|ci skip)\]/i;

export function isBranchWanted({ branches, branch }: Pick<Project, "branches" | "branch">, name: string): boolean {
  return name === branch || branches.some((pattern) => matchesPattern(name, pattern));
}

/** Why a change is not built; undefined when it is. @param message of its newest commit. @param files undefined: unknown. */
export function whyNotBuilt(
  project: Pick<Project, "paths" | "pathsIgnore">,
  message: string | undefined,
  files: readonly string[] | undefined,
): string | undefined {
  const words = SKIP_WORDS.exec(message ?? "")?.[0];
  if (words !== undefined) return `its commit says ${words.toLowerCase()}`;
  return whyNotPaths(project, files);
}

export function hasPathRules({ paths, pathsIgnore }: Pick<Project, "paths" | "pathsIgnore">): boolean {
  return paths.length + pathsIgnore.length > 0;
}

/** A change that touches no file at all, such as an empty commit, is built: nothing says that it should not be. */
function whyNotPaths(
  { paths, pathsIgnore }: Pick<Project, "paths" | "pathsIgnore">,
  files: readonly string[] | undefined,
): string | undefined {
  if (files === undefined || files.length === 0) return undefined;
  const wanted = matcher(paths);
  const ignored = matcher(pathsIgnore);
  if (paths.length > 0 && !files.some(wanted)) return "no file that it changes matches paths:";
  return pathsIgnore.length > 0 && files.every(ignored)
    ? "every file that it changes matches paths_ignore:"
    : undefined;
}

function matcher(written: readonly string[]): (file: string) => boolean {
  const patterns = written.flatMap((pattern) => pathPattern(pattern, "/") ?? []);
  return (file) => patterns.some((pattern) => pattern.match(`/${file}`) !== undefined);
}
