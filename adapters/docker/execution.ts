/** A command run beside a container's main one. */
import { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { RuntimeError } from "../../src/errors.ts";
import type { ExecOptions, Execution } from "../../src/runtime.ts";
import { type Engine, quiet } from "./engine.ts";
import { readFrames } from "./frames.ts";

const STDERR_BYTES = 64 * 1024;
/** The streams end a moment before the Engine records the exit. */
const EXIT_IS_RECORDED_WITHIN_MS = 2000;

/**
 * Starts `command` in container `id`. Giving up its output ends its input and leaves the command running: the Engine cannot end
 * one.
 */
export async function execute(
  engine: Engine,
  id: string,
  command: readonly string[],
  { env = {}, input, user, signal }: ExecOptions,
): Promise<Execution> {
  const exec = await engine.ask(async (docker) => {
    const created = await docker.getContainer(id).exec({
      Cmd: [...command],
      Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
      AttachStdin: input !== undefined,
      AttachStdout: true,
      AttachStderr: true,
      ...(user === undefined ? {} : { User: user }),
      abortSignal: signal,
    });
    // Only a connection that was taken over can be written to.
    const taken = input === undefined ? {} : { hijack: true, stdin: true };
    const connection = await created.start({ ...taken, abortSignal: signal });
    input?.then(
      (text) => connection.end(text),
      () => connection.end(),
    );
    return { created, stream: quiet(connection) };
  }, signal);

  const stderr: Uint8Array[] = [];
  const chunks = readStdout(engine, exec.stream, stderr, signal);
  // Not `Readable.from`, whose end waits for the next chunk: a connection that was taken over knows no signal, and stays.
  const stdout = new Readable({
    read() {
      chunks.next().then(
        ({ done, value }) => this.push(done === true ? null : value),
        (error: unknown) => this.destroy(asError(error)),
      );
    },
    destroy(error, done) {
      exec.stream.destroy();
      done(error);
    },
  });
  const abort = () => stdout.destroy(asError(signal.reason));
  signal.addEventListener("abort", abort, { once: true });
  quiet(stdout).once("close", () => signal.removeEventListener("abort", abort));

  return {
    stdout,
    stderr: () => Buffer.concat(stderr).subarray(-STDERR_BYTES).toString(),
    async exitCode() {
      await finished(stdout, { writable: false });
      const deadline = Date.now() + EXIT_IS_RECORDED_WITHIN_MS;
      for (let waitMs = 2; ; waitMs *= 2) {
        const { Running, ExitCode } = await engine.ask(() => exec.created.inspect({ abortSignal: signal }), signal);
        if (!Running && ExitCode !== null) return ExitCode;
        if (Date.now() > deadline) throw new RuntimeError("the connection to a command in a container broke");
        await sleep(waitMs, undefined, { signal });
      }
    },
  };
}

/** Passes standard output on and puts standard error aside, in the same reading, so that neither holds up the other. */
async function* readStdout(
  engine: Engine,
  stream: Readable,
  stderr: Uint8Array[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  let stderrBytes = 0;
  try {
    for await (const frames of readFrames(stream)) {
      for (const frame of frames) {
        if (frame.stream === "stdout") {
          yield frame.bytes;
          continue;
        }
        stderr.push(frame.bytes);
        stderrBytes += frame.bytes.length;
        while (stderrBytes - (stderr[0]?.length ?? 0) >= STDERR_BYTES) stderrBytes -= stderr.shift()?.length ?? 0;
      }
    }
  } catch (error) {
    signal.throwIfAborted();
    throw engine.explain(error);
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
