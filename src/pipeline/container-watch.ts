/** Looks at a running container now and then: whether what it writes stays within its limit, and what it uses meanwhile. */
import { setTimeout as sleep } from "node:timers/promises";
import type { RunningContainer } from "../runtime.ts";
import type { PeakUsage } from "./resources.ts";

/** Asking an engine for a container's size walks its files, so not often. */
const LOOK_MS = 10_000;
/** Most steps that fail early have been seen once then; those that are quicker cost no look at all. */
const FIRST_LOOK_MS = 2_000;

export interface ContainerWatchOptions {
  readonly diskLimitBytes: number;
  tooLarge(): void;
  /** The engine did not answer. */
  away(): void;
}

export class ContainerWatch {
  readonly #container: RunningContainer;
  readonly #options: ContainerWatchOptions;
  readonly #ended = new AbortController();
  readonly #watching: Promise<void>;
  #usage: PeakUsage | undefined;

  constructor(container: RunningContainer, options: ContainerWatchOptions) {
    this.#container = container;
    this.#options = options;
    this.#watching = this.#watch(this.#ended.signal);
  }

  /** The most memory of all looks, and the CPU time of the last; undefined for one that ended before the first. */
  get usage(): PeakUsage | undefined {
    return this.#usage;
  }

  /** @throws RuntimeError when the engine is away, or the signal's reason. */
  async look(signal: AbortSignal): Promise<void> {
    const usage = await this.#container.usage(signal);
    if (usage === undefined) return;
    const { memoryBytes, cpuMs } = usage;
    this.#usage = { memoryPeakBytes: Math.max(memoryBytes, this.#usage?.memoryPeakBytes ?? 0), cpuMs };
  }

  async end(): Promise<void> {
    this.#ended.abort();
    await this.#watching;
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { diskLimitBytes, tooLarge, away } = this.#options;
    const rest = async (restMs: number): Promise<boolean> =>
      // An abort only ends the watch.
      sleep(restMs, undefined, { signal }).then(
        () => true,
        () => false,
      );
    // Whoever follows the output notices a container that has just ended, and an engine that stays away.
    const look = (): Promise<void> => this.look(signal).catch(away);
    if (await rest(FIRST_LOOK_MS)) await look();
    for (let restMs = LOOK_MS - FIRST_LOOK_MS; await rest(restMs); restMs = LOOK_MS) {
      const [bytes] = await Promise.all([this.#container.diskBytes().catch(() => 0), look()]);
      if (bytes <= diskLimitBytes) continue;
      tooLarge();
      return;
    }
  }
}
