/** One container of a `run:` step, begun or adopted, to its end within its limits. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Limits } from "../config.ts";
import type { ContainerExit, ContainerRuntime, ContainerSpec, RunningContainer } from "../runtime.ts";
import { exitMeaning, type StopReason } from "./exit.ts";
import type { StepOutput } from "./step-output.ts";
import { HandedOver } from "./stop.ts";

/** SIGTERM first, SIGKILL after this: together under the 10 s in which a cancel has to work. */
const STOP_GRACE_MS = 5_000;
/** Asking an engine for a container's size walks its files, so not often. */
const DISK_CHECK_MS = 10_000;

export interface ContainerRun {
  readonly spec: ContainerSpec;
  readonly limits: Limits;
  /** What an earlier attempt left; it is gone on with in place of a new one. */
  readonly adopted: RunningContainer | undefined;
  readonly deadline: StepDeadline;
}

/** When the step must be over, and which limit that is. */
export interface StepDeadline {
  readonly at: number;
  readonly limitMs: number;
  readonly whole: "step" | "build";
}

export type ContainerEnd =
  | { readonly kind: "passed"; readonly exit: ContainerExit; readonly container: RunningContainer }
  | {
      readonly kind: "failed";
      readonly exit: ContainerExit;
      readonly meaning: string;
      /** It was stopped for a limit, and did not end by itself. */
      readonly isStopped: boolean;
      readonly container: RunningContainer;
    };

/**
 * Runs the container of a step and writes all that it prints. An adopted one is read on from where the build's log stops. It
 * stays when it has ended, for what it left behind to be taken out.
 * @throws the signal's reason: after the container was stopped and removed, or, for HandedOver, with it left running.
 */
export async function runContainer(
  runtime: ContainerRuntime,
  run: ContainerRun,
  output: StepOutput,
  signal: AbortSignal,
): Promise<ContainerEnd> {
  const from = output.begin(run.adopted === undefined);
  const container = run.adopted ?? (await runtime.start(run.spec, signal));
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
      for await (const chunk of container.output(from, signal)) await output.push(chunk);
      await output.end();
      const exit = await container.wait(signal);
      if (stopped === undefined && exit.exitCode === 0) return { kind: "passed", exit, container };
      return {
        kind: "failed",
        exit,
        meaning: exitMeaning(exit, run.spec.limits, stopped),
        isStopped: stopped !== undefined,
        container,
      };
    } catch (error) {
      if (!signal.aborted) throw error;
      if (!(signal.reason instanceof HandedOver)) {
        await stopping.finished();
        await output.end();
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

/**
 * The container of one try of a step that an earlier attempt left, if it got as far as running; one that never ran is removed.
 * @param identity the labels that name the step of this build, whatever the attempt.
 */
export async function findLeft(
  runtime: ContainerRuntime,
  identity: Readonly<Record<string, string>>,
  tries: number,
): Promise<RunningContainer | undefined> {
  let left: RunningContainer | undefined;
  for (const { container, state } of await runtime.find(identity)) {
    if (container.labels[TRY_LABEL] !== tryLabel(tries)[TRY_LABEL]) continue;
    if (left === undefined && state !== "created") left = container;
    else await container.remove();
  }
  return left;
}

const TRY_LABEL = "docker-ci.try";

/** What the containers of a second try carry; those of the first carry nothing. */
export function tryLabel(tries: number): Readonly<Record<string, string>> {
  return tries === 1 ? {} : { [TRY_LABEL]: String(tries) };
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
