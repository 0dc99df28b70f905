/**
 * The builds that were read last, so that a page that is looked at often neither fetches nor checks them again: reading
 * and checking fifty records takes longer than the rest of such a page.
 */
import { type Build, isFinished } from "./build.ts";

/** A record has two to twenty kilobytes. */
const KEPT = 1_000;

interface Read {
  readonly build: Build;
  /** What it was read from. */
  readonly json: string;
}

export class RecentBuilds {
  /** In the order in which they were last asked for. */
  readonly #builds = new Map<number, Read>();

  /** One that is over: it never changes again. */
  finished(number: number): Build | undefined {
    const known = this.#builds.get(number);
    if (known === undefined || !isFinished(known.build)) return undefined;
    this.add(known.build, known.json);
    return known.build;
  }

  /** Any, if its record is still the same. */
  unchanged(number: number, json: string): Build | undefined {
    const known = this.#builds.get(number);
    return known?.json === json ? known.build : undefined;
  }

  /** It is gone from the records too. */
  forget(number: number): void {
    this.#builds.delete(number);
  }

  add(build: Build, json: string): void {
    this.#builds.delete(build.number);
    this.#builds.set(build.number, { build, json });
    if (this.#builds.size <= KEPT) return;
    for (const oldest of this.#builds.keys()) {
      this.#builds.delete(oldest);
      return;
    }
  }
}
