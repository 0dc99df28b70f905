/** What one step says on its way into the build's log: masked, and where steps run side by side in whole lines with its label. */
import type { LogPosition } from "../builds/build-log.ts";
import { OUTPUT_START, type OutputChunk, type OutputPosition } from "../runtime.ts";
import type { Mask, MaskStream } from "./masking.ts";
import { LANE_BAR } from "./plan.ts";

/** Where a run writes: the build's log, or a terminal. */
export interface StepLog {
  line(text: string): Promise<void>;
  write(bytes: Uint8Array, position: LogPosition): Promise<void>;
  /** How far the log is in the output of a step at work; a resumed log knows it from an earlier attempt. */
  positionOf(step: string): OutputPosition | undefined;
  startStep(step: string): void;
  endStep(step: string): void;
}

/** A longer line goes out in parts, so that output without newlines is seen and needs no memory. */
const LINE_BYTES = 16 * 1024;

export interface StepOutputOptions {
  /** Names the container whose output it is, in the positions of the log. */
  readonly key: string;
  /** Before every line; undefined where no other step runs beside it, and bytes go through as they come. */
  readonly label: string | undefined;
  readonly mask: Mask | undefined;
  /** Sees the masked output. */
  readonly watch?: { push(bytes: Uint8Array): void } | undefined;
}

type StreamName = OutputChunk["stream"];

/** Counts what has gone out of each stream; what is held back, for its mask or the rest of its line, is not counted as read. */
export class StepOutput {
  readonly #log: StepLog;
  readonly #options: StepOutputOptions;
  readonly #prefix: Buffer | undefined;
  #streams: Readonly<Record<StreamName, StreamState>>;

  constructor(log: StepLog, options: StepOutputOptions) {
    this.#log = log;
    this.#options = options;
    this.#prefix = options.label === undefined ? undefined : Buffer.from(options.label + LANE_BAR);
    this.#streams = this.#openAt(OUTPUT_START);
  }

  /** Where the output is to be read: from the start of a new container's, else behind what has gone out by an earlier attempt. */
  begin(isNew: boolean): OutputPosition {
    const { key } = this.#options;
    const from = isNew ? undefined : this.#log.positionOf(key);
    // A container that printed before anything of it was kept is read from its start.
    if (from === undefined) this.#log.startStep(key);
    this.#streams = this.#openAt(from ?? OUTPUT_START);
    return from ?? OUTPUT_START;
  }

  /** A line of our own about the step. */
  async line(text: string): Promise<void> {
    const masked = this.#options.mask?.text(text) ?? text;
    await this.#log.line(`${this.#prefix?.toString() ?? ""}${masked}`);
  }

  /** Output of the step's container, or of its builder. Waits when the disk is slower. */
  async push({ stream, bytes }: OutputChunk): Promise<void> {
    // Where lines are put together, the place behind the last whole one has to be known: it is where reading may go on.
    const lineEnd = this.#prefix === undefined ? 0 : bytes.lastIndexOf(10) + 1;
    if (lineEnd > 0) await this.#take(stream, bytes.subarray(0, lineEnd));
    if (lineEnd < bytes.length) await this.#take(stream, bytes.subarray(lineEnd));
  }

  /** Lets out what was held back: nothing comes any more. */
  async end(): Promise<void> {
    for (const stream of ["stdout", "stderr"] as const) {
      const state = this.#streams[stream];
      await this.#letOut(stream, state.mask?.end() ?? new Uint8Array(), true);
    }
  }

  #openAt({ stdout, stderr }: OutputPosition): Readonly<Record<StreamName, StreamState>> {
    const open = (outBytes: number): StreamState => {
      return { outBytes, rawBytes: outBytes, mask: this.#options.mask?.stream(), held: [], heldBytes: 0 };
    };
    return { stdout: open(stdout), stderr: open(stderr) };
  }

  async #take(stream: StreamName, bytes: Uint8Array): Promise<void> {
    const state = this.#streams[stream];
    state.rawBytes += bytes.length;
    await this.#letOut(stream, state.mask?.push(bytes) ?? bytes, false);
  }

  async #letOut(stream: StreamName, bytes: Uint8Array, isEnd: boolean): Promise<void> {
    const state = this.#streams[stream];
    if (bytes.length > 0) this.#options.watch?.push(bytes);
    const out = this.#prefix === undefined ? bytes : wholeLines(state, bytes, this.#prefix, isEnd);
    if (out === undefined || out.length === 0) return;
    state.outBytes = state.rawBytes - (state.mask?.heldBytes ?? 0);
    const output = { stdout: this.#streams.stdout.outBytes, stderr: this.#streams.stderr.outBytes };
    await this.#log.write(out, { step: this.#options.key, output });
  }
}

interface StreamState {
  /** Bytes as the container printed them: those that went out, and all that were taken. */
  outBytes: number;
  rawBytes: number;
  readonly mask: MaskStream | undefined;
  /** Masked bytes of a line whose end has not come. */
  held: Uint8Array[];
  heldBytes: number;
}

/** Nothing before a line's end, the output's end or the length that is too much; then all of it, each line with the prefix. */
function wholeLines(state: StreamState, bytes: Uint8Array, prefix: Buffer, isEnd: boolean): Buffer | undefined {
  state.held.push(bytes);
  state.heldBytes += bytes.length;
  if (bytes.at(-1) !== 10 && state.heldBytes < LINE_BYTES && !isEnd) return undefined;
  const all = Buffer.concat(state.held);
  state.held = [];
  state.heldBytes = 0;
  const parts: Uint8Array[] = [];
  for (let at = 0; at < all.length; ) {
    const newline = all.indexOf(10, at);
    const end = newline === -1 ? all.length : newline + 1;
    parts.push(prefix, all.subarray(at, end));
    at = end;
  }
  if (all.length > 0 && all.at(-1) !== 10) parts.push(NEWLINE);
  return Buffer.concat(parts);
}

const NEWLINE = Buffer.from("\n");
