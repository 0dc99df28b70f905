/** Who wants to know. A listener that throws spoils it for nobody: the library would print the error and go on. */
import type { Logger } from "pino";

export class Listeners<Event> {
  readonly #log: Logger;
  readonly #all = new Set<(event: Event) => unknown>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Returns the way to stop. */
  add(listener: (event: Event) => unknown): () => void {
    // Wrapped, so that one function added twice is two listeners.
    const entry = (event: Event): unknown => listener(event);
    this.#all.add(entry);
    return () => void this.#all.delete(entry);
  }

  tell(event: Event): void {
    void this.toldAll(event);
  }

  /** Calls them at once and in order; resolves when each has done what it promised. Never rejects. */
  async toldAll(event: Event): Promise<void> {
    await Promise.all([...this.#all].map((listener) => this.#call(listener, event)));
  }

  async #call(listener: (event: Event) => unknown, event: Event): Promise<void> {
    try {
      await listener(event);
    } catch (error) {
      this.#log.error({ err: error }, "a listener threw");
    }
  }

  clear(): void {
    this.#all.clear();
  }
}
