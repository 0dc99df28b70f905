/** How far a pull is: a bar for each host on a terminal, a line at its beginning and its end elsewhere. */
import type { ProgressEvent } from "../adapters/docker/json-lines.ts";
import { plainText } from "../src/builds/plain-text.ts";
import { formatBytes } from "../src/units.ts";

const BAR_WIDTH = 20;
const DRAW_EVERY_MS = 100;

/** The layers of one pull, added up. */
export class PullProgress {
  readonly #layers = new Map<string, { current: number; total: number }>();

  add({ id, status, progressDetail }: ProgressEvent): void {
    if (id === undefined || status === undefined) return;
    const known = this.#layers.get(id) ?? { current: 0, total: 0 };
    if (status === "Downloading") {
      this.#layers.set(id, { current: progressDetail?.current ?? 0, total: progressDetail?.total ?? known.total });
    } else if (/^(?:Download complete|Pull complete|Already exists)$/.test(status)) {
      this.#layers.set(id, { current: known.total, total: known.total });
    }
  }

  /** `▓▓▓▓▓░░░░░ 45% 120 MiB of 266 MiB`, or nothing before the first byte. */
  bar(): string {
    const layers = [...this.#layers.values()];
    const total = layers.reduce((sum, layer) => sum + layer.total, 0);
    const current = layers.reduce((sum, layer) => sum + Math.min(layer.current, layer.total), 0);
    if (total === 0) return "…";
    const filled = Math.round((current / total) * BAR_WIDTH);
    const bar = "▓".repeat(filled) + "░".repeat(BAR_WIDTH - filled);
    return `${bar} ${Math.floor((current / total) * 100)}% ${formatBytes(current)} of ${formatBytes(total)}`;
  }
}

export interface ProgressOutput {
  readonly isTerminal: boolean;
  write(text: string): void;
}

/** One line for each name, redrawn in place on a terminal. */
export class ProgressBoard {
  readonly #output: ProgressOutput;
  readonly #lines = new Map<string, string>();
  #drawn = 0;
  #drawnAt = 0;

  constructor(output: ProgressOutput) {
    this.#output = output;
  }

  /** A state that another may replace at once: elsewhere than on a terminal it is not worth a line. */
  update(name: string, text: string): void {
    this.#lines.set(name, plainText(text));
    if (this.#output.isTerminal && Date.now() - this.#drawnAt >= DRAW_EVERY_MS) this.#draw();
  }

  /** A state that stays. */
  note(name: string, text: string): void {
    this.#lines.set(name, plainText(text));
    if (this.#output.isTerminal) this.#draw();
    else this.#output.write(`${name}: ${plainText(text)}\n`);
  }

  #draw(): void {
    const up = this.#drawn > 0 ? `\u001b[${this.#drawn}A` : "";
    const lines = [...this.#lines].map(([name, text]) => `\r\u001b[K${name}: ${text}\n`);
    this.#output.write(up + lines.join(""));
    this.#drawn = lines.length;
    this.#drawnAt = Date.now();
  }
}
