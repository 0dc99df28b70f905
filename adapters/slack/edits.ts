/** Shows progress by editing messages, no faster than Slack bears: of many states only the last one goes out. */
import type { Logger } from "pino";
import type { Reply } from "../../src/chat/reply.ts";
import { describeError } from "../../src/errors.ts";
import type { SlackTiming } from "./options.ts";

interface Pending {
  readonly room: string;
  readonly key: string;
  readonly reply: Reply;
}

export interface EditPort {
  /** Whether an edit may go out at all now. */
  allowed(): boolean;
  /** Edits in its turn in the room; `reply` gives what to show by then, or nothing when that was superseded. */
  edit(room: string, key: string, reply: () => Reply | undefined): Promise<void>;
}

const MOST = 1_000;

export class Edits {
  readonly #port: EditPort;
  readonly #timing: SlackTiming;
  readonly #log: Logger;
  /** By room and key; in the order in which they began to wait. */
  readonly #pending = new Map<string, Pending>();
  /** When a message was last edited, and what it shows. */
  readonly #shown = new Map<string, { readonly at: number; readonly json: string }>();
  #lastAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #running = false;

  constructor(port: EditPort, timing: SlackTiming, log: Logger) {
    this.#port = port;
    this.#timing = timing;
    this.#log = log;
  }

  show(room: string, key: string, reply: Reply | undefined): void {
    const name = `${room} ${key}`;
    if (reply === undefined) this.#pending.delete(name);
    else this.#pending.set(name, { room, key, reply });
    this.#plan();
  }

  /** A message says it now; what was to be shown before is out of date. */
  supersede(room: string, key: string): void {
    this.#pending.delete(`${room} ${key}`);
    this.#shown.set(`${room} ${key}`, { at: performance.now(), json: "" });
  }

  clear(): void {
    this.#pending.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #plan(): void {
    if (this.#timer !== undefined || this.#running || this.#pending.size === 0) return;
    const dues = [...this.#pending.keys()].map((name) => (this.#shown.get(name)?.at ?? 0) + this.#timing.editGapMs);
    const due = Math.max(Math.min(...dues), this.#lastAt + this.#timing.anyEditGapMs);
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        void this.#next();
      },
      Math.max(0, Math.ceil(due - performance.now())),
    );
    this.#timer.unref();
  }

  async #next(): Promise<void> {
    const now = performance.now();
    this.#lastAt = now;
    const [name, pending] =
      [...this.#pending].find(([each]) => (this.#shown.get(each)?.at ?? 0) + this.#timing.editGapMs <= now) ?? [];
    if (name !== undefined && pending !== undefined && this.#port.allowed()) {
      this.#running = true;
      await this.#edit(name, pending);
      this.#running = false;
    }
    this.#plan();
  }

  async #edit(name: string, { room, key }: Pending): Promise<void> {
    const before = this.#shown.get(name)?.json;
    let json: string | undefined;
    try {
      await this.#port.edit(room, key, () => {
        const reply = this.#pending.get(name)?.reply;
        this.#pending.delete(name);
        json = JSON.stringify(reply);
        return json === before ? undefined : reply;
      });
    } catch (error) {
      this.#log.debug({ room, key, reason: describeError(error) }, "progress not shown");
    }
    if (this.#shown.size >= MOST) this.#shown.clear();
    if (json !== undefined) this.#shown.set(name, { at: performance.now(), json });
  }
}
