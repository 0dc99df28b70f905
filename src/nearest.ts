/** "Did you mean": the names that a mistyped one may stand for. */

/**
 * Up to `max` candidates near `name`, nearest first; ties in the order given. Near is a beginning of at least two characters,
 * another part of at least three, or an edit distance of a third of the length, at least one: `dokcer` is near `docker`,
 * `registry` is near `docker-registry`, `log` is not near `last`.
 */
export function nearest(name: string, candidates: Iterable<string>, max = 3): string[] {
  const wanted = name.toLowerCase();
  const scored: { candidate: string; distance: number }[] = [];
  for (const candidate of new Set(candidates)) {
    const distance = distanceTo(wanted, candidate.toLowerCase());
    if (distance !== undefined) scored.push({ candidate, distance });
  }
  return scored
    .sort((a, b) => a.distance - b.distance)
    .slice(0, max)
    .map(({ candidate }) => candidate);
}

/** `Did you mean docker or docker-registry?`, or nothing. `decorate` puts a prefix or quotes on each name. */
export function didYouMean(names: readonly string[], decorate = (name: string) => name): string {
  const decorated = names.map(decorate);
  const last = decorated.pop();
  if (last === undefined) return "";
  return `Did you mean ${decorated.length === 0 ? last : `${decorated.join(", ")} or ${last}`}?`;
}

/** How far apart in edits, `undefined` when too far. A beginning counts as one edit, another part as two, a longer name as three. */
function distanceTo(wanted: string, candidate: string): number | undefined {
  const allowed = Math.max(1, Math.floor(Math.max(wanted.length, candidate.length) / 3));
  // What is much longer is not near either, and the table of distances is quadratic.
  const isFar = Math.abs(wanted.length - candidate.length) > allowed;
  const edits = isFar ? Number.POSITIVE_INFINITY : editDistance(wanted, candidate);
  const distances = [
    ...(edits <= allowed && edits < wanted.length ? [edits] : []),
    ...(wanted.length >= 2 && candidate.startsWith(wanted) ? [1] : []),
    ...(wanted.length >= 3 && candidate.includes(wanted) ? [2] : []),
    ...(wanted.startsWith(`${candidate}-`) ? [3] : []),
  ];
  return distances.length === 0 ? undefined : Math.min(...distances);
}

/** Insertions, deletions, replacements and swaps of neighbours (Damerau-Levenshtein, optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      const options = [
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + (same ? 0 : 1),
      ];
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) options.push(at(beforePrevious, column - 2) + 1);
      current.push(Math.min(...options));
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, b.length);
}

/** A cell of the table; every index used above is inside it. */
function at(cells: readonly number[], index: number): number {
  return cells[index] ?? Number.POSITIVE_INFINITY;
}
