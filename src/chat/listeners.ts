/** Who wants to know. A listener that throws spoils it for nobody: the library would print the error and go on. */
import type { Logger } from "pino";

export class Listeners<Event> {
  readonly #log: Logger;
  readonly #all = new Set<(event: Event) => void>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Returns the way to stop. */
  add(listener: (event: Event) => void): () => void {
    // Wrapped, so that one function added twice is two listeners.
    const entry = (event: Event): void => listener(event);
    this.#all.add(entry);
    return () => void this.#all.delete(entry);
  }

  tell(event: Event): void {
    for (const listener of [...this.#all]) {
      try {
        listener(event);
      } catch (error) {
        this.#log.error({ err: error }, "a listener threw");
      }
    }
  }

  clear(): void {
    this.#all.clear();
  }
}
