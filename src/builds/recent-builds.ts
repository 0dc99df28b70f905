/** The finished builds that were read last, so that a page that is looked at often neither fetches nor checks them again. */
import type { BuildNumber } from "../names.ts";
import { type Build, isFinished } from "./build.ts";

/** A record has two to twenty kilobytes. */
const KEPT = 1_000;

/** Only what is over is kept: it never changes again. */
export class RecentBuilds {
  /** In the order in which they were last asked for. */
  readonly #builds = new Map<number, Build>();

  get(number: BuildNumber | number): Build | undefined {
    const build = this.#builds.get(number);
    if (build === undefined) return undefined;
    this.#builds.delete(number);
    this.#builds.set(number, build);
    return build;
  }

  add(build: Build): void {
    this.#builds.delete(build.number);
    if (!isFinished(build)) return;
    this.#builds.set(build.number, build);
    if (this.#builds.size <= KEPT) return;
    for (const oldest of this.#builds.keys()) {
      this.#builds.delete(oldest);
      return;
    }
  }
}
