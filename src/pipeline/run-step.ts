/** One `run:` step: a container, begun or adopted, signal to its end within its limits. */
import { setTimeout as sleep } from "node:timers/promises";
import type { LogPosition } from "../builds/build-log.ts";
import type { Limits } from "../config.ts";
import type { ContainerExit, ContainerRuntime, ContainerSpec, RunningContainer } from "../runtime.ts";
import { OUTPUT_START } from "../runtime.ts";
import { exitMeaning, type StopReason } from "./exit.ts";
import { HandedOver } from "./stop.ts";

/** SIGTERM first, SIGKILL after this: together under the 10 s in which a cancel has to work. */
const STOP_GRACE_MS = 5_000;
/** Asking an engine for a container's size walks its files, so not often. */
const DISK_CHECK_MS = 10_000;

/** Where a run writes: the build's log, or a terminal. */
export interface StepLog {
  line(text: string): Promise<void>;
  write(bytes: Uint8Array, position: LogPosition): Promise<void>;
  startStep(step: string): void;
  /** Of the last output written; a resumed log knows it from an earlier attempt. */
  readonly position: LogPosition;
}

export interface ContainerRun {
  readonly step: string;
  readonly spec: ContainerSpec;
  /** The labels that name this step of this build, whatever the attempt. */
  readonly identity: Readonly<Record<string, string>>;
  readonly limits: Limits;
  /** An earlier attempt may have left this container. */
  readonly resumed: boolean;
  /** When the step must be over, and which limit that is. */
  readonly deadline: { readonly at: number; readonly limitMs: number; readonly whole: "step" | "build" };
}

export type ContainerEnd =
  | { readonly kind: "passed"; readonly exit: ContainerExit; readonly container: RunningContainer }
  | {
      readonly kind: "failed";
      readonly exit: ContainerExit;
      readonly meaning: string;
      readonly container: RunningContainer;
    };

/**
 * Runs the container of a step and writes all that it prints. A container with the same labels that an earlier attempt left is
 * adopted: its log is read on from where the build's log stops. The caller removes the container that is handed back.
 * @throws the signal's reason: after the container was stopped and removed, or, for HandedOver, with it left running.
 */
export async function runContainer(
  runtime: ContainerRuntime,
  run: ContainerRun,
  log: StepLog,
  signal: AbortSignal,
): Promise<ContainerEnd> {
  const container =
    (run.resumed ? await adopt(runtime, run, log) : undefined) ?? (await begin(runtime, run, log, signal));
  const stop = new AbortController();
  const watched = new AbortController();
  let stopped: StopReason | undefined;
  const stopFor = (reason: StopReason): void => {
    stopped ??= reason;
    stop.abort();
  };

  const timer = setTimeout(
    () => stopFor({ kind: "time", limitMs: run.deadline.limitMs, whole: run.deadline.whole }),
    Math.max(0, run.deadline.at - Date.now()),
  );
  const disk = watchDisk(container, run.limits.diskBytes, stopFor, watched.signal);
  const stopping = onceAborted(AbortSignal.any([signal, stop.signal]), async () => {
    if (signal.reason instanceof HandedOver) return;
    await container.stop(STOP_GRACE_MS);
  });

  try {
    try {
      let { stdout, stderr } = log.position.step === run.step ? log.position.output : OUTPUT_START;
      for await (const chunk of container.output({ stdout, stderr }, signal)) {
        if (chunk.stream === "stdout") stdout += chunk.bytes.length;
        else stderr += chunk.bytes.length;
        await log.write(chunk.bytes, { step: run.step, output: { stdout, stderr } });
      }
      const exit = await container.wait(signal);
      if (stopped === undefined && exit.exitCode === 0) return { kind: "passed", exit, container };
      return { kind: "failed", exit, meaning: exitMeaning(exit, run.spec.limits, stopped), container };
    } catch (error) {
      if (!signal.aborted) throw error;
      if (!(signal.reason instanceof HandedOver)) {
        await stopping.finished();
        await container.remove();
      }
      throw signal.reason;
    }
  } finally {
    clearTimeout(timer);
    watched.abort();
    stopping.forget();
    await disk;
  }
}

async function begin(
  runtime: ContainerRuntime,
  run: ContainerRun,
  log: StepLog,
  signal: AbortSignal,
): Promise<RunningContainer> {
  log.startStep(run.step);
  return runtime.start(run.spec, signal);
}

/** The container that an earlier attempt began, if it got as far as running; one that never ran is removed. */
async function adopt(
  runtime: ContainerRuntime,
  run: ContainerRun,
  log: StepLog,
): Promise<RunningContainer | undefined> {
  const found = await runtime.find(run.identity);
  let adopted: RunningContainer | undefined;
  for (const { container, state } of found) {
    if (adopted === undefined && state !== "created") adopted = container;
    else await container.remove();
  }
  if (adopted === undefined) return undefined;
  // A log of another step, or none: the container printed before anything of it was kept, and is read from its start.
  if (log.position.step !== run.step) log.startStep(run.step);
  return adopted;
}

/** Looks at the container's size now and then, until told to end. */
async function watchDisk(
  container: RunningContainer,
  limitBytes: number,
  stopFor: (reason: StopReason) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    // An abort only ends the loop.
    await sleep(DISK_CHECK_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    // A container that has just ended, or an engine that is away for a moment, is noticed by the one who follows the output.
    const bytes = await container.diskBytes().catch(() => 0);
    if (bytes > limitBytes) {
      stopFor({ kind: "disk", limitBytes });
      return;
    }
  }
}

/** Runs `action` when the signal aborts; `finished` waits for it. */
function onceAborted(signal: AbortSignal, action: () => Promise<void>): { finished(): Promise<void>; forget(): void } {
  let running: Promise<void> = Promise.resolve();
  const start = (): void => {
    // Whoever follows the container finds out what became of it; a stop that failed leaves the removal, which is by force.
    running = action().catch(() => undefined);
  };
  if (signal.aborted) start();
  else signal.addEventListener("abort", start, { once: true });
  return { finished: () => running, forget: () => signal.removeEventListener("abort", start) };
}
