/** The limits of one step at work: the first that is passed stops it, and is what its end is called after. */
import type { StopReason } from "./exit.ts";
import { Silence } from "./silence.ts";

/** The longest that a timer of Node's waits; a longer one is over at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** When the step must be over, and which limit that is. */
export interface StepDeadline {
  readonly at: number;
  readonly limitMs: number;
  readonly whole: "step" | "build";
}

export interface StepLimitsOptions {
  readonly deadline: StepDeadline;
  /** How long it may print nothing; undefined: as long as it likes. */
  readonly idleMs: number | undefined;
  /** As Silence asks it. */
  answers(signal: AbortSignal): Promise<unknown>;
}

export class StepLimits {
  readonly silence: Silence;
  readonly #stop = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #stopped: StopReason | undefined;

  constructor({ deadline: { at, limitMs, whole }, idleMs, answers }: StepLimitsOptions) {
    const leftMs = Math.min(TIMER_MAX_MS, Math.max(0, at - Date.now()));
    this.#timer = setTimeout(() => this.stopFor({ kind: "time", limitMs, whole }), leftMs);
    this.silence = new Silence({
      limitMs: idleMs,
      answers,
      tooLong: (passedMs) => this.stopFor({ kind: "silence", limitMs: passedMs }),
    });
  }

  /** Aborts when the step is to be stopped. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Undefined as long as it keeps to its limits. */
  get stopped(): StopReason | undefined {
    return this.#stopped;
  }

  stopFor(reason: StopReason): void {
    this.#stopped ??= reason;
    this.#stop.abort();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.silence.end();
  }
}
