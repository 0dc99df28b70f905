/** Which step of a pipeline waits for which, and the order that follows from it. */

/** What decides it; a wrong file is looked at too, hence the missing name. */
export interface WaitingStep {
  readonly name?: string | undefined;
  /** `undefined`: all steps before it in the file. */
  readonly needs?: readonly string[] | undefined;
  /** The step whose image it runs in. */
  readonly image: string | undefined;
}

/** Steps by their places in the file; the numbers are places too. */
export type Edges = readonly (readonly number[])[];

/** For each step those that it waits for itself, in the order of the file; names that are no step's are left aside. */
export function waitsFor(steps: readonly WaitingStep[]): Edges {
  const places = new Map<string, number>();
  for (const [index, { name }] of steps.entries()) {
    if (name !== undefined && !places.has(name)) places.set(name, index);
  }
  return steps.map(({ needs, image }, index) => {
    if (needs === undefined) return Array.from({ length: index }, (_, before) => before);
    const named = [...needs, ...(image === undefined ? [] : [image])].flatMap((name) => places.get(name) ?? []);
    return [...new Set(named)].filter((place) => place !== index).sort((a, b) => a - b);
  });
}

/** As in the file, except that a step comes behind those it waits for. Without circles: see `circlesIn`. */
export function inOrder(edges: Edges): readonly number[] {
  const placed = new Set<number>();
  while (placed.size < edges.length) {
    const next = edges.findIndex((needs, index) => !placed.has(index) && needs.every((need) => placed.has(need)));
    if (next === -1) throw new Error("the steps wait for each other");
    placed.add(next);
  }
  return [...placed];
}

/** Steps that wait for each other, each for the next and the last for the first; every circle has at least one of them. */
export function circlesIn(edges: Edges): readonly (readonly number[])[] {
  const circles: number[][] = [];
  const done = new Set<number>();
  const trail: number[] = [];
  const follow = (index: number): void => {
    const begun = trail.indexOf(index);
    if (begun !== -1) {
      circles.push(trail.slice(begun));
      return;
    }
    if (done.has(index)) return;
    trail.push(index);
    for (const need of edges[index] ?? []) follow(need);
    trail.pop();
    done.add(index);
  };
  for (const index of edges.keys()) follow(index);
  return circles;
}
