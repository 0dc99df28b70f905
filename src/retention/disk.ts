/** How full the disks are that builds write to. */
import { statfs } from "node:fs/promises";
import { describeError } from "../errors.ts";

export interface DiskSpace {
  /** What it is of: `data folder`, `engine`. */
  readonly of: string;
  readonly path: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** What may be written by somebody who is not root. @throws RuntimeError where there is no such path. */
export async function spaceOf(of: string, path: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(path);
  return { of, path, freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

export interface Place {
  readonly of: string;
  readonly path: string;
  /** Whether it may be on another machine: then a path that is not here is none of ours. */
  readonly mayBeElsewhere: boolean;
}

/** Each disk once, the fullest first. A place that cannot be looked at is left out, and `warn` is told. */
export async function lookAtDisks(places: readonly Place[], warn: (text: string) => void): Promise<DiskSpace[]> {
  const found: DiskSpace[] = [];
  for (const { of, path, mayBeElsewhere } of places) {
    try {
      found.push(await spaceOf(of, path));
    } catch (error) {
      if (!mayBeElsewhere) warn(`${path} cannot be looked at (${describeError(error)})`);
    }
  }
  const once = new Map(found.map((disk) => [`${disk.totalBytes} ${disk.freeBytes}`, disk]));
  return [...once.values()].sort((a, b) => a.freeBytes - b.freeBytes);
}
