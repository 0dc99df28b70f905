/** What has been taken of a container's output: how much, to read on behind it, and how it ended, to tell if more is due. */
import type { OutputChunk, OutputPosition } from "../../src/runtime.ts";

const TAIL_BYTES = 64 * 1024;

/** Counts both streams and remembers the end of each. */
export class Taken {
  readonly #bytes: { stdout: number; stderr: number };
  readonly #tails = { stdout: new Tail(), stderr: new Tail() };

  constructor(from: OutputPosition) {
    this.#bytes = { stdout: from.stdout, stderr: from.stderr };
  }

  get position(): OutputPosition {
    return { ...this.#bytes };
  }

  add({ stream, bytes }: OutputChunk): void {
    this.#bytes[stream] += bytes.length;
    this.#tails[stream].add(bytes);
  }

  /**
   * Whether the last lines of the kept log are the last that were taken. A newline at the very end does not count: the kept
   * log may lack it behind a long line.
   */
  endsWith(lastLines: readonly OutputChunk[]): boolean {
    return (["stdout", "stderr"] as const).every((stream) => {
      const kept = withoutNewline(Buffer.concat(lastLines.filter((c) => c.stream === stream).map((c) => c.bytes)));
      const taken = this.#tails[stream].read();
      const tail = withoutNewline(taken);
      if (kept.length > tail.length && this.#bytes[stream] <= taken.length) return false;
      const length = Math.min(kept.length, tail.length);
      return kept.subarray(kept.length - length).equals(tail.subarray(tail.length - length));
    });
  }
}

/** The last bytes of a stream. Joined only now and then, so that many small pieces cost no more than a few large ones. */
class Tail {
  #pieces: Uint8Array[] = [];
  #length = 0;

  add(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
    this.#length += bytes.length;
    if (this.#length > 2 * TAIL_BYTES || this.#pieces.length > TAIL_BYTES) this.read();
  }

  read(): Buffer {
    const joined = Buffer.from(Buffer.concat(this.#pieces).subarray(-TAIL_BYTES));
    this.#pieces = [joined];
    this.#length = joined.length;
    return joined;
  }
}

function withoutNewline(bytes: Buffer): Buffer {
  return bytes.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes;
}

/** Drops the first bytes of each stream, which an earlier reading took. */
export class Skip {
  readonly #left: { stdout: number; stderr: number };

  constructor(position: OutputPosition) {
    this.#left = { stdout: position.stdout, stderr: position.stderr };
  }

  apply({ stream, bytes }: OutputChunk): OutputChunk | undefined {
    const dropped = Math.min(this.#left[stream], bytes.length);
    this.#left[stream] -= dropped;
    return dropped === bytes.length ? undefined : { stream, bytes: bytes.subarray(dropped) };
  }
}
