/** How long a step has said nothing. Its own silence counts, and not that of an engine, a disk or a worker that stands still. */

const TICK_MS = 1_000;
/** A limit is noticed within a part of itself. */
const TICKS = 10;
/** An engine that takes longer does not carry a step's words either. */
const ANSWER_MS = 10_000;

export interface SilenceOptions {
  /** Undefined: it may be silent as long as it likes. */
  readonly limitMs: number | undefined;
  /** Asks the engine anything; what it carries has come to us when it answers. */
  answers(signal: AbortSignal): Promise<unknown>;
  tooLong(limitMs: number): void;
}

/** Runs from when it is made, and from the beginning again after everything that is heard. */
export class Silence {
  readonly #options: SilenceOptions;
  readonly #tickMs: number;
  readonly #ended = new AbortController();
  readonly #timer: NodeJS.Timeout | undefined;
  #silentMs = 0;
  #isPaused = false;
  #isAsking = false;

  constructor(options: SilenceOptions) {
    const { limitMs } = options;
    this.#options = options;
    this.#tickMs = Math.min(TICK_MS, (limitMs ?? 0) / TICKS);
    if (limitMs !== undefined) this.#timer = setInterval(() => this.#tick(limitMs), this.#tickMs);
  }

  heard(): void {
    this.#silentMs = 0;
    this.#isPaused = false;
  }

  /** Until it is heard of again: what it said is being written, or it has not begun. */
  pause(): void {
    this.#silentMs = 0;
    this.#isPaused = true;
  }

  end(): void {
    clearInterval(this.#timer);
    this.#ended.abort();
  }

  /** Counts one, however late it comes: a process that stood still meanwhile has not listened. */
  #tick(limitMs: number): void {
    if (this.#isPaused || this.#isAsking) return;
    this.#silentMs += this.#tickMs;
    if (this.#silentMs < limitMs) return;
    this.#isAsking = true;
    const late = AbortSignal.timeout(ANSWER_MS);
    this.#options
      .answers(AbortSignal.any([late, this.#ended.signal]))
      .then(
        () => {
          // What it said just now was heard meanwhile.
          if (this.#silentMs < limitMs || this.#ended.signal.aborted) return;
          this.end();
          this.#options.tooLong(limitMs);
        },
        () => {
          // Whether it spoke, nobody knows.
          this.#silentMs = 0;
        },
      )
      .finally(() => {
        this.#isAsking = false;
      });
  }
}
