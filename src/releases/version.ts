/** Which of two versions comes later: https://semver.org/#spec-item-11. */

const PARTS = /^(\d+)\.(\d+)\.(\d+)(?:-(.+))?$/;

/** Whether it is a version of semver, and not the date of a night. */
export function isSemver(version: string): boolean {
  return PARTS.test(version);
}

/** Below 0 when `a` comes before `b`. What is no version of semver comes before all that are. */
export function compareVersions(a: string, b: string): number {
  const [one, other] = [PARTS.exec(a), PARTS.exec(b)];
  if (one === null || other === null) return Number(one !== null) - Number(other !== null);
  for (const at of [1, 2, 3]) {
    const difference = Number(one[at]) - Number(other[at]);
    if (difference !== 0) return difference;
  }
  return comparePrereleases(one[4], other[4]);
}

/** A version comes after its own pre-releases. */
function comparePrereleases(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  const [ours, theirs] = [a.split("."), b.split(".")];
  for (const [at, part] of ours.entries()) {
    const other = theirs[at];
    if (other === undefined) return 1;
    const difference = compareIdentifiers(part, other);
    if (difference !== 0) return difference;
  }
  return ours.length - theirs.length;
}

/** Numbers by their size, and before words; words by their characters. */
function compareIdentifiers(a: string, b: string): number {
  const [isNumber, isOther] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isNumber && isOther) return Number(a) - Number(b);
  if (isNumber !== isOther) return isNumber ? -1 : 1;
  return a === b ? 0 : a < b ? -1 : 1;
}
