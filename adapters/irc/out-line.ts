/** One line on its way out, and the message it is a part of. */
import type { RuntimeError } from "../../src/errors.ts";

/** The lines of one `send`: settled once, when all are proven or the first has failed. */
export class OutMessage {
  readonly delivered: Promise<void>;
  readonly #resolve: () => void;
  readonly #reject: (error: RuntimeError) => void;
  #unproven: number;
  #over = false;

  constructor(lines: number) {
    const { promise, resolve, reject } = withResolvers();
    this.delivered = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#unproven = lines;
    if (lines === 0) this.proven(0);
  }

  /** Whether it is settled; what is left of it need not be written. */
  get over(): boolean {
    return this.#over;
  }

  proven(lines = 1): void {
    this.#unproven -= lines;
    if (this.#unproven > 0 || this.#over) return;
    this.#over = true;
    this.#resolve();
  }

  failed(error: RuntimeError): void {
    if (this.#over) return;
    this.#over = true;
    this.#reject(error);
  }
}

export interface OutLine {
  readonly message: OutMessage;
  readonly target: string;
  readonly text: string;
}

function withResolvers(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let resolve: () => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
