/** One container of a `run:` step, begun or adopted, to its end within its limits. */
import type { Limits } from "../config.ts";
import type { ContainerExit, ContainerRuntime, ContainerSpec, RunningContainer } from "../runtime.ts";
import { ContainerWatch } from "./container-watch.ts";
import { exitMeaning } from "./exit.ts";
import type { PeakUsage } from "./resources.ts";
import { type StepDeadline, StepLimits } from "./step-limits.ts";
import type { StepOutput } from "./step-output.ts";
import { HandedOver } from "./stop.ts";

/** SIGTERM first, SIGKILL after this: together under the 10 s in which a cancel has to work. */
const STOP_GRACE_MS = 5_000;

export interface ContainerRun {
  readonly spec: ContainerSpec;
  readonly limits: Limits;
  /** What an earlier attempt left; it is gone on with in place of a new one. */
  readonly adopted: RunningContainer | undefined;
  readonly deadline: StepDeadline;
  /** How long it may print nothing; undefined: as long as it likes. */
  readonly idleMs: number | undefined;
}

export type ContainerEnd =
  | { readonly kind: "passed"; readonly exit: ContainerExit; readonly container: RunningContainer }
  | {
      readonly kind: "failed";
      readonly exit: ContainerExit;
      readonly meaning: string;
      /** It was stopped for a limit, and did not end by itself. */
      readonly isStopped: boolean;
      /** As it was last seen to be. */
      readonly usage: PeakUsage | undefined;
      readonly container: RunningContainer;
    };

/**
 * Runs the container of a step and writes all that it prints. An adopted one is read on from where the build's log stops. It
 * stays when it has ended, for what it left behind to be taken out. Its silence counts from its start, and anew from when it was
 * adopted: what it said while nobody listened came before that.
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
  const { deadline, idleMs } = run;
  const { diskBytes } = run.limits;
  const watch = new ContainerWatch(container, {
    diskLimitBytes: diskBytes,
    tooLarge: () => limits.stopFor({ kind: "disk", limitBytes: diskBytes }),
    away: () => limits.silence.heard(),
  });
  const limits = new StepLimits({ deadline, idleMs, answers: (within) => watch.look(within) });
  const stopping = onceAborted(AbortSignal.any([signal, limits.signal]), async () => {
    if (signal.reason instanceof HandedOver) return;
    await container.stop(STOP_GRACE_MS);
  });

  try {
    try {
      for await (const chunk of container.output(from, signal)) {
        limits.silence.pause();
        await output.push(chunk);
        limits.silence.heard();
      }
      // It has ended.
      limits.silence.pause();
      await output.end();
      const exit = await container.wait(signal);
      const { stopped } = limits;
      if (stopped === undefined && exit.exitCode === 0) return { kind: "passed", exit, container };
      return {
        kind: "failed",
        exit,
        meaning: exitMeaning(exit, run.spec.limits, stopped),
        isStopped: stopped !== undefined,
        usage: watch.usage,
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
    limits.end();
    stopping.forget();
    await watch.end();
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
