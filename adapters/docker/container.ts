/** One container of the Engine: its output, its end, and what can be done to it meanwhile. */
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";
import { z } from "zod";
import { RuntimeError } from "../../src/errors.ts";
import type {
  ContainerExit,
  ContainerUsage,
  ExecOptions,
  Execution,
  OutputChunk,
  OutputPosition,
  RunningContainer,
} from "../../src/runtime.ts";
import { type Engine, quiet } from "./engine.ts";
import { execute } from "./execution.ts";
import { wasKilledForMemory } from "./kernel-log.ts";
import { readOutput } from "./output.ts";
import { Refusal, unless } from "./refusal.ts";
import { usageOf } from "./usage.ts";

/** A stream that nobody reads stops the container once its pipes are full; then it is let go, and the kept log is read. */
const ATTACHED_IS_KEPT_MS = 5000;
/** Removing a container with many files takes the Engine a while; another remover may be at it. */
const REMOVED_WITHIN_MS = 20_000;

/** What an inspection with `size` says besides; the Engine leaves it out when it is zero. */
const Sized = z.object({ SizeRw: z.number().default(0) });

/** See RunningContainer for what each method promises. */
export class DockerContainer implements RunningContainer {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly #engine: Engine;
  #attached: Readable | undefined;

  /** @param attached the output's stream, attached before the start; given to the first who reads from the beginning. */
  constructor(
    engine: Engine,
    known: { id: string; name: string; labels: Readonly<Record<string, string>> },
    attached?: Readable,
  ) {
    this.#engine = engine;
    this.id = known.id;
    this.name = known.name;
    this.labels = known.labels;
    this.#attached = attached;
    if (attached !== undefined) setTimeout(() => this.#takeAttached()?.destroy(), ATTACHED_IS_KEPT_MS).unref();
  }

  output(from: OutputPosition, signal: AbortSignal): AsyncIterable<OutputChunk> {
    const attached = this.#takeAttached();
    const isFromStart = from.stdout === 0 && from.stderr === 0;
    if (!isFromStart) attached?.destroy();
    return readOutput(this.#engine, this.id, from, isFromStart ? attached : undefined, signal);
  }

  async wait(signal: AbortSignal): Promise<ContainerExit> {
    await this.#ask((container) => container.wait({ condition: "not-running", abortSignal: signal }), signal);
    const { State } = await this.#ask((container) => container.inspect({ abortSignal: signal }), signal);
    const startedAt = new Date(State.StartedAt);
    const finishedAt = new Date(State.FinishedAt);
    return {
      exitCode: State.ExitCode,
      outOfMemory: State.OOMKilled || (State.ExitCode !== 0 && wasKilledForMemory(this.id)),
      startedAt,
      // The Engine takes the two times from two clocks' readings: a quick container may end before it began.
      finishedAt: finishedAt < startedAt ? startedAt : finishedAt,
    };
  }

  async stop(graceMs: number): Promise<void> {
    const t = Math.ceil(graceMs / 1000);
    await unless(
      this.#ask((container) => container.stop({ t })),
      [304, 404],
      undefined,
    );
  }

  exec(command: readonly string[], options: ExecOptions): Promise<Execution> {
    return execute(this.#engine, this.id, command, options);
  }

  async workingDirectory(): Promise<string> {
    const { Config } = await this.#ask((container) => container.inspect());
    return Config.WorkingDir || "/";
  }

  async copyOut(path: string, signal: AbortSignal): Promise<Readable | undefined> {
    try {
      const archive = await this.#ask((container) => container.getArchive({ path, abortSignal: signal }), signal);
      return quiet(archive);
    } catch (error) {
      // `Could not find the file /x in container y`, and by newer engines; a container that is gone is `No such container: y`.
      const isMissingPath =
        error instanceof Refusal && error.status === 404 && !/no such container/i.test(error.message);
      if (isMissingPath) return undefined;
      throw error;
    }
  }

  async diskBytes(): Promise<number> {
    const options: Docker.ContainerInspectOptions & { size: boolean } = { size: true };
    return Sized.parse(await this.#ask((container) => container.inspect(options))).SizeRw;
  }

  async usage(signal: AbortSignal): Promise<ContainerUsage | undefined> {
    // Not asked for one shot, the Engine looks twice, a second apart.
    const options = { stream: false, "one-shot": true, abortSignal: signal } as const;
    return usageOf(await this.#ask((container) => container.stats(options), signal));
  }

  async remove(): Promise<void> {
    this.#takeAttached()?.destroy();
    const deadline = Date.now() + REMOVED_WITHIN_MS;
    const attempt = () =>
      unless(
        this.#ask((container) => container.remove({ force: true, v: true })).then(() => true),
        [404],
        true,
      );
    // 409: `removal of container x is already in progress`. Its name is free, and the promise kept, when it is gone.
    while (!(await unless(attempt(), [409], false))) {
      if (Date.now() > deadline) throw new RuntimeError(`the Docker Engine does not finish removing ${this.name}`);
      await sleep(100);
    }
  }

  #takeAttached(): Readable | undefined {
    const attached = this.#attached;
    this.#attached = undefined;
    return attached;
  }

  #ask<T>(request: (container: Docker.Container) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#engine.ask((docker) => request(docker.getContainer(this.id)), signal);
  }
}
