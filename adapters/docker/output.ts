/** Reading a container's output from any byte on, over streams that may break, until nothing more can come. */
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { RuntimeError } from "../../src/errors.ts";
import type { OutputChunk, OutputPosition } from "../../src/runtime.ts";
import { type Engine, quiet } from "./engine.ts";
import { parseFrames, readFrames } from "./frames.ts";
import { KeptLog } from "./kept-log.ts";
import { Refusal } from "./refusal.ts";
import { Skip, Taken } from "./taken.ts";

/** How many of the log's last lines are compared with what was taken. */
const LAST_LINES = 20;
/** A stream ends a moment before the Engine records the exit. */
const EXIT_IS_RECORDED_WITHIN_MS = 500;
/** Readings in a row that break without a byte; then the Engine's own failure is what the caller should hear. */
const FRUITLESS_READINGS = 5;

/**
 * Everything that container `id` prints, from `from` on, until it has ended.
 * @param attached the stream that was attached before the start, whole; without one the kept log is read.
 */
export async function* readOutput(
  engine: Engine,
  id: string,
  from: OutputPosition,
  attached: Readable | undefined,
  signal: AbortSignal,
): AsyncGenerator<OutputChunk, void> {
  const taken = new Taken(from);
  if (attached !== undefined) {
    yield* readAttached(attached, taken, signal);
    if (
      (await hasEnded(engine, id, signal, EXIT_IS_RECORDED_WITHIN_MS)) &&
      taken.endsWith(await lastLines(engine, id, signal))
    )
      return;
  }
  for (let fruitless = 0; ; ) {
    const before = taken.position;
    let failure: RuntimeError | undefined;
    try {
      // Followed, the log of Engine 20.10 may end early where its file is changed, and without a last unfinished line. So
      // what counts is a reading that began after the end, which follows nothing.
      const isLast = await hasEnded(engine, id, signal, 0);
      yield* readKept(engine, id, taken, signal);
      if (isLast) return;
    } catch (error) {
      signal.throwIfAborted();
      failure = engine.explain(error);
      if (failure instanceof Refusal) throw failure;
    }
    const { stdout, stderr } = taken.position;
    fruitless = stdout === before.stdout && stderr === before.stderr ? fruitless + 1 : 0;
    if (failure !== undefined && fruitless >= FRUITLESS_READINGS) throw failure;
    await sleep(Math.min(50 * fruitless, 1000), undefined, { signal });
  }
}

/** The attached stream to its end, wanted or not: raw bytes on a socket do not tell a broken connection from an exit. */
async function* readAttached(stream: Readable, taken: Taken, signal: AbortSignal) {
  const abort = () => stream.destroy();
  signal.addEventListener("abort", abort, { once: true });
  try {
    signal.throwIfAborted();
    for await (const frames of readFrames(stream)) {
      for (const frame of frames) {
        taken.add(frame);
        yield frame;
      }
    }
  } catch {
    // What broke is read on from the kept log; an engine that is gone says so there.
  } finally {
    signal.removeEventListener("abort", abort);
    stream.destroy();
  }
  signal.throwIfAborted();
}

/** The kept log, followed while the container runs. It comes in HTTP chunks, so that a broken connection is an error. */
async function* readKept(engine: Engine, id: string, taken: Taken, signal: AbortSignal) {
  const skip = new Skip(taken.position);
  const kept = new KeptLog();
  const options = { follow: true, stdout: true, stderr: true, timestamps: true, abortSignal: signal } as const;
  const stream = await engine.ask((docker) => docker.getContainer(id).logs(options), signal);
  for await (const frames of readFrames(quiet(stream))) {
    for (const chunk of kept.restore(frames)) {
      const fresh = skip.apply(chunk);
      if (fresh === undefined) continue;
      taken.add(fresh);
      yield fresh;
    }
  }
}

async function hasEnded(engine: Engine, id: string, signal: AbortSignal, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const { State } = await engine.ask((docker) => docker.getContainer(id).inspect({ abortSignal: signal }), signal);
    if (!State.Running) return true;
    if (Date.now() >= deadline) return false;
    await sleep(20, undefined, { signal });
  }
}

async function lastLines(engine: Engine, id: string, signal: AbortSignal): Promise<readonly OutputChunk[]> {
  const options = { follow: false, stdout: true, stderr: true, timestamps: true, tail: LAST_LINES } as const;
  const log = await engine.ask((docker) => docker.getContainer(id).logs({ ...options, abortSignal: signal }), signal);
  return new KeptLog().restore(parseFrames(log).frames);
}
