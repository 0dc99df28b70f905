/** One thing after the other in a room: answers before notices, and both before edits that may be dropped. */

export type Priority = "answer" | "notice" | "edit";

const ORDER: readonly Priority[] = ["answer", "notice", "edit"];

interface Work {
  run(): Promise<void>;
}

export class RoomQueue {
  readonly #waiting: Readonly<Record<Priority, Work[]>> = { answer: [], notice: [], edit: [] };
  #busy = false;

  /** Settles as `run` does, in its turn. */
  add(priority: Priority, run: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting[priority].push({ run: () => run().then(resolve, reject) });
      if (!this.#busy) void this.#work();
    });
  }

  get idle(): boolean {
    return !this.#busy;
  }

  async #work(): Promise<void> {
    this.#busy = true;
    for (let next = this.#next(); next !== undefined; next = this.#next()) await next.run();
    this.#busy = false;
  }

  #next(): Work | undefined {
    for (const priority of ORDER) {
      const work = this.#waiting[priority].shift();
      if (work !== undefined) return work;
    }
    return undefined;
  }
}
