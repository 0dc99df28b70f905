/** A worker as it reports itself, and what it can take. */

export interface WorkerStatus {
  readonly name: string;
  readonly engine: string;
  /** Builds at a time. */
  readonly slots: number;
  readonly active: readonly number[];
  readonly seenAt: string;
  readonly version: string;
  /** What it has: as configured, and its engine's architecture. */
  readonly labels: readonly string[];
  /** Somebody said that it takes no more. */
  readonly draining: boolean;
  /** Why it may take nothing. */
  readonly refused?: string | undefined;
}

/** Whether it takes builds at all. */
export function isTaking({ draining, refused }: Pick<WorkerStatus, "draining" | "refused">): boolean {
  return !draining && refused === undefined;
}

/** The labels that are asked for and that it has not. */
export function missingLabels(wanted: readonly string[], has: readonly string[]): string[] {
  return wanted.filter((label) => !has.includes(label));
}

/** How many builds run at a time: those that take no more keep what they are at. */
export function slotsOf(workers: readonly WorkerStatus[]): number {
  return workers.reduce((sum, worker) => sum + (isTaking(worker) ? worker.slots : worker.active.length), 0);
}
