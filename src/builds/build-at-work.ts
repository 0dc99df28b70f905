/** The record of a build while a worker is at it. */
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Logger } from "pino";
import { z } from "zod";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { describeError } from "../errors.ts";
import type { OutboxEntry } from "../queue/outbox-entry.ts";
import type { BuildResults } from "../results/summary.ts";
import type { Revision } from "../revisions.ts";
import { Build, type BuildState, beganElsewhere, type FinalState, type StepResult } from "./build.ts";
import { announcements } from "./builds.ts";
import type { BuildChanges, BuildStore } from "./store.ts";

interface Deps {
  readonly config: Pick<Config, "url" | "workerName">;
  readonly store: BuildStore;
  readonly clock: Clock;
  /** Names the data folder of this worker. */
  readonly instance: string;
}

/** Another worker has the build now: nothing may be written any more. */
export class Overtaken extends Error {
  override readonly name = "Overtaken";
}

/** The record of the build at work, changed only by compare-and-set; every method throws Overtaken when somebody else was. */
export class BuildAtWork {
  #build: Build;
  readonly #deps: Deps;
  readonly #log: Logger;

  constructor(deps: Deps, build: Build, log: Logger) {
    this.#deps = deps;
    this.#build = build;
    this.#log = log;
  }

  get build(): Build {
    return this.#build;
  }

  get startedAt(): string {
    const { state } = this.#build;
    return state.kind === "running" ? state.startedAt : this.#deps.clock.now().toISOString();
  }

  /** Of a build that was begun elsewhere nothing counts that is done: its images and files are not here. */
  async begin(): Promise<void> {
    const { workerName: worker } = this.#deps.config;
    const { instance } = this.#deps;
    const anew = beganElsewhere(this.#build, instance) ? { steps: [] } : {};
    const changes = { attempt: this.#build.attempt + 1, ranOn: { worker, instance }, ...anew };
    await this.#change({ kind: "running", startedAt: this.startedAt, worker }, changes);
  }

  /** Puts it back for a worker that has all of these. */
  async passOn(labels: readonly string[]): Promise<void> {
    const wanted = [...new Set([...(this.#build.labels ?? []), ...labels])].toSorted();
    await this.#change({ kind: "queued" }, { labels: wanted, steps: [] });
  }

  async revision(revision: Revision): Promise<void> {
    await this.#change(this.#build.state, { revision });
  }

  async step(step: Extract<Build["state"], { kind: "running" }>["step"]): Promise<void> {
    await this.#change({ kind: "running", startedAt: this.startedAt, worker: this.#deps.config.workerName, step }, {});
  }

  async steps(steps: readonly StepResult[]): Promise<void> {
    await this.#change(this.#build.state, { steps: [...steps] });
  }

  async finish(state: FinalState, results?: BuildResults): Promise<void> {
    const { config, clock } = this.#deps;
    const changes = results === undefined ? {} : { results };
    const announce = announcements({ ...this.#build, ...changes, state }, config.url, clock);
    await this.#change(state, changes, announce);
    this.#log.info({ state: state.kind }, "build over");
  }

  /** Keeps trying while Redis is away: what a build came to must not be lost to an outage. */
  async #change(state: BuildState, changes: BuildChanges, announce: readonly OutboxEntry[] = []): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      try {
        const next = await this.#deps.store.transition(this.#build, state, changes, announce);
        if (next === undefined) throw new Overtaken();
        this.#build = next;
        return;
      } catch (error) {
        if (error instanceof Overtaken) {
          // Our own write may have been done although its answer was lost with the connection.
          const now = tries === 0 ? undefined : await this.#deps.store.get(this.#build.number);
          const wanted = Build.parse(JSON.parse(JSON.stringify({ ...this.#build, ...changes, state })));
          if (!isDeepStrictEqual(now, wanted)) throw error;
          this.#build = wanted;
          return;
        }
        if (error instanceof z.ZodError) throw error;
        this.#log.warn({ reason: describeError(error) }, "the record could not be written; trying again");
        await sleep(Math.min(1_000 * (tries + 1), 10_000));
      }
    }
  }
}
