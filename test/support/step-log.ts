/** A build's log in memory. */
import type { LogPosition } from "../../src/builds/build-log.ts";
import type { StepLog } from "../../src/pipeline/step-output.ts";
import { OUTPUT_START, type OutputPosition } from "../../src/runtime.ts";

export class MemoryLog implements StepLog {
  /** Bytes, since a character may come in two pieces. */
  #bytes = Buffer.alloc(0);
  readonly #positions = new Map<string, OutputPosition>();

  get text(): string {
    return this.#bytes.toString();
  }

  positionOf(step: string): OutputPosition | undefined {
    return this.#positions.get(step);
  }

  async line(text: string): Promise<void> {
    const isAtStart = this.#bytes.length === 0 || this.#bytes.at(-1) === 10;
    this.#append(Buffer.from(`${isAtStart ? "" : "\n"}${text}\n`));
  }

  async write(bytes: Uint8Array, { step, output }: LogPosition): Promise<void> {
    this.#append(bytes);
    this.#positions.set(step, output);
  }

  startStep(step: string): void {
    this.#positions.set(step, OUTPUT_START);
  }

  endStep(step: string): void {
    this.#positions.delete(step);
  }

  #append(bytes: Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
  }
}
