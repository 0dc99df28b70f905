/** What is opened is closed, last in, first out, once. Node 20 has neither AsyncDisposableStack nor Promise.withResolvers. */
import type { Logger } from "pino";

export class Opened {
  readonly #closers: { readonly name: string; close(): Promise<unknown> }[] = [];
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Remembers a resource and hands it back. */
  add<T extends AsyncDisposable>(name: string, resource: T): T {
    this.#closers.push({ name, close: async () => resource[Symbol.asyncDispose]() });
    return resource;
  }

  /** Closes everything; one that fails is logged and does not keep the others open. */
  async close(): Promise<void> {
    for (let next = this.#closers.pop(); next !== undefined; next = this.#closers.pop()) {
      try {
        await next.close();
      } catch (error) {
        this.#log.warn({ err: error, what: next.name }, "could not be closed cleanly");
      }
    }
  }
}

/** A promise and the way to fulfil it. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
}

export function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {
    throw new Error("the promise's executor runs at once");
  };
  const promise = new Promise<T>((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve: (value) => resolve(value) };
}
