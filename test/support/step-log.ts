/** A build's log in memory. */
import type { LogPosition } from "../../src/builds/build-log.ts";
import type { StepLog } from "../../src/pipeline/step-output.ts";
import { OUTPUT_START, type OutputPosition } from "../../src/runtime.ts";

export class MemoryLog implements StepLog {
  text = "";
  readonly #positions = new Map<string, OutputPosition>();

  positionOf(step: string): OutputPosition | undefined {
    return this.#positions.get(step);
  }

  async line(text: string): Promise<void> {
    this.text += `${this.text === "" || this.text.endsWith("\n") ? "" : "\n"}${text}\n`;
  }

  async write(bytes: Uint8Array, { step, output }: LogPosition): Promise<void> {
    this.text += Buffer.from(bytes).toString();
    this.#positions.set(step, output);
  }

  startStep(step: string): void {
    this.#positions.set(step, OUTPUT_START);
  }

  endStep(step: string): void {
    this.#positions.delete(step);
  }
}
