/** Executions in the testbuilder's container that are begun before there is a question: the Engine takes 50 ms to begin one. */
import { once } from "node:events";
import type { Readable } from "node:stream";
import { RuntimeError } from "../../src/errors.ts";
import type { Execution, RunningContainer } from "../../src/runtime.ts";

/** A build asks twice: what its name means, and for the tree. */
const KEPT = 2;
/** One that begins holds up the end of those under way, so they are not replaced before a small build is over. */
const REPLACED_AFTER_MS = 1_500;
/** To take up a question takes two; one that was cut off says nothing, and its connection may not know yet. */
const TAKEN_UP_WITHIN_MS = 3_000;
/** The byte by which a question is taken up. */
const ACK = 6;

/** Safe for concurrent use. Nothing is begun before the first `fill` or `ask`. */
export class Spares {
  readonly #waiting: Spare[] = [];
  #container: RunningContainer | undefined;
  #timer: NodeJS.Timeout | undefined;

  fill(container: RunningContainer): void {
    this.#moveTo(container);
    while (this.#waiting.length < KEPT) this.#waiting.push(new Spare(container));
  }

  /**
   * Puts a question, to one that waits in this container or to a new one.
   * @throws whatever the container refuses a new one with, a RuntimeError when that one ends at once, or the signal's reason.
   */
  async ask(container: RunningContainer, question: string, signal: AbortSignal): Promise<Execution> {
    this.#moveTo(container);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.fill(container), REPLACED_AFTER_MS).unref();
    const spare = this.#waiting.shift();
    if (spare !== undefined) {
      try {
        return await spare.ask(question, signal, AbortSignal.timeout(TAKEN_UP_WITHIN_MS));
      } catch {
        signal.throwIfAborted();
        // It died while it waited, and what it died of has met the others too. A new one tells whether the container lives.
        this.#drop();
      }
    }
    return await new Spare(container).ask(question, signal);
  }

  /** Ends those that wait, and begins no more until it is asked again. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#container = undefined;
    this.#drop();
  }

  #moveTo(container: RunningContainer): void {
    if (this.#container?.id !== container.id) this.clear();
    this.#container = container;
  }

  #drop(): void {
    for (const spare of this.#waiting.splice(0)) spare.end(new Error("not needed any more"));
  }
}

/** One execution that waits for its question. */
class Spare {
  readonly #life = new AbortController();
  readonly #execution: Promise<Execution>;
  #say: (question: string) => void = () => undefined;

  constructor(container: RunningContainer) {
    const input = new Promise<string>((resolve) => {
      this.#say = resolve;
    });
    this.#execution = container.exec(["revision"], { input, signal: this.#life.signal });
    // Whoever asks it is told.
    this.#execution.catch(() => undefined);
  }

  /** @param patience ends the waiting for a sign of life, not the answer. */
  async ask(question: string, signal: AbortSignal, patience?: AbortSignal): Promise<Execution> {
    const abort = (): void => this.end(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      signal.throwIfAborted();
      const execution = await this.#execution;
      execution.stdout.once("close", () => signal.removeEventListener("abort", abort));
      this.#say(question);
      await takenUp(execution.stdout, AbortSignal.any([this.#life.signal, patience ?? signal]));
      return execution;
    } catch (error) {
      signal.removeEventListener("abort", abort);
      this.end(error);
      throw signal.aborted ? signal.reason : error;
    }
  }

  /** Its input ends, and so does it. */
  end(reason: unknown): void {
    this.#life.abort(reason);
  }
}

async function takenUp(stdout: Readable, signal: AbortSignal): Promise<void> {
  await once(stdout, "readable", { signal });
  const first: unknown = stdout.read(1);
  // What cannot be run is said on standard output: `OCI runtime exec failed: …`.
  if (!Buffer.isBuffer(first) || first[0] !== ACK) throw new RuntimeError("the testbuilder takes up no question");
}
