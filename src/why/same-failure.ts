/** Earlier builds that failed in the same way, and what came of them. */
import type { Build } from "../builds/build.ts";
import type { Explanation } from "../results/summary.ts";

const SHOWN = 3;

export interface SameFailure {
  readonly number: Build["number"];
  /** A later build of the very same commit passed. */
  readonly mendedByRetrying: boolean;
}

/**
 * @param builds what is known of the project, in any order; later ones than `number` say only whether a retry helped.
 * @returns the earlier builds with the same signature, newest first.
 */
export function sameFailure(
  { signature }: Pick<Explanation, "signature">,
  builds: readonly Build[],
  number: number,
): SameFailure[] {
  const passed = builds.filter(({ state }) => state.kind === "passed");
  return builds
    .filter((build) => build.number < number && build.results?.explanation?.signature === signature)
    .sort((a, b) => b.number - a.number)
    .map((build) => ({
      number: build.number,
      mendedByRetrying: passed.some(
        (later) =>
          later.number > build.number &&
          later.revision !== undefined &&
          later.revision.sha === build.revision?.sha &&
          later.revision.pullRequest?.base === build.revision.pullRequest?.base,
      ),
    }));
}

/** `same failure as #31 and #37 (both fixed by retrying)`; empty where there is none. */
export function sameFailureWords(found: readonly SameFailure[]): string {
  if (found.length === 0) return "";
  const shown = found.slice(0, SHOWN).toSorted((a, b) => a.number - b.number);
  const more = found.length - shown.length;
  const numbers = [...shown.map(({ number }) => `#${number}`), ...(more > 0 ? [`${more} more`] : [])];
  return `same failure as ${joined(numbers)}${mended(found)}`;
}

function mended(found: readonly SameFailure[]): string {
  const numbers = found.filter(({ mendedByRetrying }) => mendedByRetrying).map(({ number }) => `#${number}`);
  if (numbers.length === 0) return "";
  if (numbers.length < found.length) return ` (${joined(numbers.slice(0, SHOWN).toReversed())} fixed by retrying)`;
  return numbers.length === 1
    ? " (fixed by retrying)"
    : ` (${numbers.length === 2 ? "both" : "all"} fixed by retrying)`;
}

function joined(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}
