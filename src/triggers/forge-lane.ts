/** The calls of one forge: one after the other, as GitHub asks for, and none while it takes none. */
import { RuntimeError } from "../errors.ts";
import { ForgeLimit } from "../forge.ts";

export interface LaneTiming {
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
}

export const LANE_TIMING: LaneTiming = { retryMinMs: 500, retryMaxMs: 30_000 };
/** A fault or two is not worth telling of. */
const FAULTS_UNSAID = 2;

export class ForgeLane implements Disposable {
  readonly #timing: LaneTiming;
  readonly #changed: () => void;
  #last: Promise<unknown> = Promise.resolve();
  #faults = 0;
  #held: { readonly until: number; readonly reason: string; readonly since: Date } | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param changed told when `trouble` became another. */
  constructor(timing: LaneTiming, changed: () => void) {
    this.#timing = timing;
    this.#changed = changed;
  }

  /** Why nothing is said there for longer than a moment. */
  get trouble(): { readonly reason: string; readonly since: Date } | undefined {
    return this.#faults > FAULTS_UNSAID ? this.#held : undefined;
  }

  /**
   * @throws what `call` throws; and, without calling, RuntimeError while the forge wants no calls or has just failed: so a forge that is
   * down is asked by one of all that wait.
   */
  run(call: () => Promise<void>): Promise<void> {
    const done = this.#last.then(() => this.#try(call));
    this.#last = done.catch(() => undefined /* Whoever asked hears of it; the next only waits for the end. */);
    return done;
  }

  async #try(call: () => Promise<void>): Promise<void> {
    if (this.#held !== undefined && Date.now() < this.#held.until) throw new RuntimeError(this.#held.reason);
    try {
      await call();
    } catch (error) {
      if (!(error instanceof RuntimeError) || error.retryable) this.#hold(error);
      else this.#free();
      throw error;
    }
    this.#free();
  }

  #hold(error: unknown): void {
    this.#faults = error instanceof ForgeLimit ? FAULTS_UNSAID + 1 : this.#faults + 1;
    const { retryMinMs, retryMaxMs } = this.#timing;
    const waitMs = Math.min(retryMaxMs, retryMinMs * 2 ** (this.#faults - 1)) * (0.5 + Math.random() / 2);
    const until = error instanceof ForgeLimit ? error.until.getTime() : Date.now() + waitMs;
    const reason = error instanceof RuntimeError ? error.message : "what is said there cannot be looked up";
    this.#held = { until, reason, since: this.#held?.since ?? new Date() };
    clearTimeout(this.#timer);
    // A limit ends by itself; what waits need not wait for its own next try.
    if (error instanceof ForgeLimit) this.#timer = setTimeout(() => this.#free(), until - Date.now()).unref();
    this.#changed();
  }

  #free(): void {
    clearTimeout(this.#timer);
    if (this.#held === undefined) return;
    this.#held = undefined;
    this.#faults = 0;
    this.#changed();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
