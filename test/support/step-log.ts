/** A build's log in memory. */
import type { LogPosition } from "../../src/builds/build-log.ts";
import type { StepLog } from "../../src/pipeline/run-step.ts";

export class MemoryLog implements StepLog {
  text = "";
  position: LogPosition = { step: "", output: { stdout: 0, stderr: 0 } };

  async line(text: string): Promise<void> {
    this.text += `${this.text === "" || this.text.endsWith("\n") ? "" : "\n"}${text}\n`;
  }

  async write(bytes: Uint8Array, position: LogPosition): Promise<void> {
    this.text += Buffer.from(bytes).toString();
    this.position = position;
  }

  startStep(step: string): void {
    this.position = { step, output: { stdout: 0, stderr: 0 } };
  }
}
