/** Hiding secrets in what a build prints and leaves behind, before anything of it leaves the worker. */
import { findMany, type ManyStrings } from "./many-strings.ts";
import { secretForms } from "./secret-forms.ts";

export { tooShort } from "./secret-forms.ts";

/** What stands in a secret's place. */
const HIDDEN = Buffer.from("***");

export interface Mask {
  text(text: string): string;
  /** A stream of its own for each stream of output. */
  stream(): MaskStream;
}

/**
 * Masks bytes as they come; the chunks' borders make no difference. What has been given out can be trusted for good: reading on
 * with a new stream from `heldBytes` before the last byte pushed gives the same rest.
 */
export interface MaskStream {
  /** All that can be given out by now. Only bytes that may still become a secret are held back. */
  push(bytes: Uint8Array): Uint8Array;
  /** How many of the bytes pushed so far have not been given out, in clear or masked. */
  readonly heldBytes: number;
  /** The rest; the stream begins anew. */
  end(): Uint8Array;
}

/** Masks every form of every secret; overlapping ones are hidden together. Secrets that are too short stay (see tooShort). */
export function createMask(secrets: readonly string[]): Mask {
  const forms = new Set(secrets.flatMap((secret) => [...secretForms(secret)]));
  if (forms.size === 0) return CLEAR;
  const strings = findMany([...forms].map((form) => Buffer.from(form)));
  return {
    text(text) {
      const bytes = Buffer.from(text);
      if (!isAnyIn(strings, bytes)) return text;
      const stream = new Masking(strings);
      return Buffer.concat([stream.push(bytes), stream.end()]).toString("utf8");
    },
    stream: () => new Masking(strings),
  };
}

function isAnyIn({ next, matched }: ManyStrings, bytes: Uint8Array): boolean {
  let node = 0;
  for (let index = 0; index < bytes.length; index += 1) {
    node = next(node, bytes[index] ?? 0);
    if (matched[node] !== 0) return true;
  }
  return false;
}

/** Where there is nothing to hide. */
const CLEAR: Mask = {
  text: (text) => text,
  stream: () => ({ push: (bytes) => bytes, heldBytes: 0, end: () => new Uint8Array(0) }),
};

/** A range of the stream that is hidden, its end not in it. */
interface Range {
  start: number;
  end: number;
}

class Masking implements MaskStream {
  readonly #strings: ManyStrings;
  #node = 0;
  /** Bytes pushed and bytes given out, as positions in the stream. */
  #pushed = 0;
  #given = 0;
  /** The bytes that lie before `#pushed` and may yet be given out in clear. */
  #kept: Uint8Array = new Uint8Array(0);
  /** Ranges that are not given out yet, in order, none overlapping the next. */
  #hidden: Range[] = [];

  constructor(strings: ManyStrings) {
    this.#strings = strings;
  }

  get heldBytes(): number {
    return this.#pushed - this.#given;
  }

  push(bytes: Uint8Array): Uint8Array {
    const { next, matched, pending } = this.#strings;
    let node = this.#node;
    for (let index = 0; index < bytes.length; index += 1) {
      node = next(node, bytes[index] ?? 0);
      const length = matched[node] ?? 0;
      if (length !== 0) this.#hide(this.#pushed + index + 1, length);
    }
    this.#node = node;
    return this.#give(bytes, this.#pushed + bytes.length - (pending[node] ?? 0));
  }

  end(): Uint8Array {
    const rest = this.#give(new Uint8Array(0), this.#pushed);
    this.#node = 0;
    return rest;
  }

  #hide(end: number, length: number): void {
    let start = end - length;
    for (let last = this.#hidden.at(-1); last !== undefined && last.end > start; last = this.#hidden.at(-1)) {
      start = Math.min(start, last.start);
      this.#hidden.pop();
    }
    this.#hidden.push({ start, end });
  }

  /** @param settled no string that begins before this position is still open. */
  #give(bytes: Uint8Array, settled: number): Uint8Array {
    const known = this.#kept.length === 0 ? bytes : Buffer.concat([this.#kept, bytes]);
    this.#pushed += bytes.length;
    const from = this.#pushed - known.length;
    const clear = (start: number, end: number): Uint8Array =>
      known.subarray(Math.max(0, start - from), Math.max(0, end - from));
    const out: Uint8Array[] = [];
    let closed = 0;
    let keptFrom = settled;
    let until = settled;
    for (const { start, end } of this.#hidden) {
      if (end > settled) {
        // More of it may have to be hidden; its bytes themselves are needed no more where its start is certain.
        if (start <= settled) {
          until = start;
          keptFrom = end;
        }
        break;
      }
      out.push(clear(this.#given, start), HIDDEN);
      this.#given = end;
      closed += 1;
    }
    if (closed > 0) this.#hidden = this.#hidden.slice(closed);
    out.push(clear(this.#given, until));
    this.#given = until;
    // A copy, as the caller's chunk may be a small part of a large buffer.
    this.#kept = Uint8Array.from(clear(keptFrom, this.#pushed));
    const [first] = out;
    return out.length === 1 && first !== undefined ? first : Buffer.concat(out);
  }
}
