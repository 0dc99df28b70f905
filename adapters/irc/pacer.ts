/** Our own pace: a burst, then a steady rate, so that no server throttles or kills us; answers before notices. */
import type { Outgoing } from "../../src/chat/chat.ts";
import type { OutLine } from "./out-line.ts";

export class Pacer {
  readonly #pace: { readonly burst: number; readonly perSecond: number };
  readonly #write: (lines: readonly OutLine[]) => void;
  readonly #waiting: Readonly<Record<Outgoing["priority"], OutLine[]>> = { answer: [], notice: [] };
  #tokens: number;
  #filledAt = performance.now();
  #timer: NodeJS.Timeout | undefined;

  /** @param write takes lines that may go out now, together. */
  constructor(pace: { burst: number; perSecond: number }, write: (lines: readonly OutLine[]) => void) {
    this.#pace = { burst: Math.max(1, pace.burst), perSecond: Math.max(0.01, pace.perSecond) };
    this.#tokens = this.#pace.burst;
    this.#write = write;
  }

  /** Queues lines behind those of the same priority. With tokens in the bucket they are written before this returns. */
  add(lines: readonly OutLine[], priority: Outgoing["priority"]): void {
    this.#waiting[priority].push(...lines);
    this.#pump();
  }

  /** Takes out everything that has not been written. */
  clear(): OutLine[] {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    return [...this.#waiting.answer.splice(0), ...this.#waiting.notice.splice(0)];
  }

  #pump(): void {
    this.#refill();
    const ready: OutLine[] = [];
    while (this.#tokens >= 1) {
      const line = this.#waiting.answer.shift() ?? this.#waiting.notice.shift();
      if (line === undefined) break;
      if (line.message.over) continue; // another line of it was refused
      this.#tokens -= 1;
      ready.push(line);
    }
    if (ready.length > 0) this.#write(ready);
    const left = this.#waiting.answer.length + this.#waiting.notice.length;
    if (left === 0 || this.#timer !== undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#pump();
      },
      Math.ceil(((1 - this.#tokens) / this.#pace.perSecond) * 1000),
    );
  }

  #refill(): void {
    const now = performance.now();
    const earned = ((now - this.#filledAt) / 1000) * this.#pace.perSecond;
    this.#tokens = Math.min(this.#pace.burst, this.#tokens + earned);
    this.#filledAt = now;
  }
}
