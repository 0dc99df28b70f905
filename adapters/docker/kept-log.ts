/**
 * A container's log as the `local` driver kept it, made into the bytes that the container wrote.
 *
 * The driver keeps lines and cuts those over 16 KiB into parts; up to Engine 20.10 at least it forgets the newline behind a
 * line that was cut. All parts of one line carry the time of the first, so with `timestamps` the line's end can be told: a
 * part without a newline, then another time.
 */
import type { OutputChunk } from "../../src/runtime.ts";

const SPACE = 0x20;
const NEWLINE = 0x0a;
const MISSING_NEWLINE = Buffer.from("\n");

/** Undoes the timestamps and puts forgotten newlines back; one for each reading of a log. */
export class KeptLog {
  readonly #open = new Map<OutputChunk["stream"], string>();

  /** What these frames stand for, in order. */
  restore(frames: readonly OutputChunk[]): readonly OutputChunk[] {
    return frames.flatMap(({ stream, bytes }) => {
      const space = bytes.indexOf(SPACE);
      const time = Buffer.from(bytes.subarray(0, space)).toString("latin1");
      const line = { stream, bytes: bytes.subarray(space + 1) };
      const open = this.#open.get(stream);
      if (line.bytes.at(-1) === NEWLINE) this.#open.delete(stream);
      else this.#open.set(stream, time);
      return open === undefined || open === time ? [line] : [{ stream, bytes: MISSING_NEWLINE }, line];
    });
  }
}
