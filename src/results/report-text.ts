/** The text of a report, from whatever encoding it is in, in pieces of a bounded size. */
import { StringDecoder } from "node:string_decoder";

/** Large pieces are read in smaller ones, so that what is made of one of them stays small. */
const PIECE_BYTES = 64 * 1024;
/** Enough for the declaration of an XML file in any encoding. */
const HEAD_BYTES = 512;
/** A longer line is cut here. */
const LINE_MAX = 256 * 1024;

/** A piece of the text and the number of lines that ended before it. */
export interface TextPiece {
  readonly text: string;
  readonly linesBefore: number;
}

/**
 * Decodes by the byte order mark, else by an XML declaration, else as UTF-8. Bytes that mean nothing become U+FFFD.
 * @throws what the source throws.
 */
export async function* reportText(source: AsyncIterable<unknown>): AsyncGenerator<TextPiece, void, undefined> {
  let head: Buffer | undefined = Buffer.alloc(0);
  let decoder: TextStream = new StringDecoder("utf8");
  let linesBefore = 0;
  const piece = (text: string): TextPiece => {
    const now = { text, linesBefore };
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) linesBefore += 1;
    return now;
  };
  for await (const chunk of source) {
    let bytes: Buffer = bytesOf(chunk);
    if (head !== undefined) {
      head = Buffer.concat([head, bytes]);
      if (head.length < HEAD_BYTES) continue;
      bytes = head;
      head = undefined;
      decoder = decoderFor(bytes);
    }
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      yield piece(decoder.write(bytes.subarray(at, at + PIECE_BYTES)));
    }
  }
  if (head !== undefined) {
    decoder = decoderFor(head);
    yield piece(decoder.write(head));
  }
  yield piece(decoder.end());
}

/** The lines of a text, some at a time, without their ends. */
export async function* textLines(source: AsyncIterable<unknown>): AsyncGenerator<string[], void, undefined> {
  yield* linesOf(reportText(source));
}

export async function* linesOf(
  pieces: AsyncIterable<Pick<TextPiece, "text">>,
): AsyncGenerator<string[], void, undefined> {
  let rest = "";
  for await (const { text } of pieces) {
    const lines = (rest + text).split("\n");
    rest = (lines.pop() ?? "").slice(0, LINE_MAX);
    if (lines.length > 0) yield lines.map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
  }
  if (rest !== "") yield [rest];
}

/** What both of Node's decoders come to. */
interface TextStream {
  write(bytes: Buffer): string;
  end(): string;
}

function decoderFor(head: Buffer): TextStream {
  const label = encodingOf(head);
  if (label === "utf-8") return withoutMark(new StringDecoder("utf8"));
  const decoder = new TextDecoder(label);
  return {
    write: (bytes) => decoder.decode(bytes, { stream: true }),
    end: () => decoder.decode(),
  };
}

/** A StringDecoder is several times as fast as a TextDecoder, but leaves the byte order mark in the text. */
function withoutMark(decoder: StringDecoder): TextStream {
  let isFirst = true;
  return {
    write(bytes) {
      const text = decoder.write(bytes);
      if (!isFirst || text === "") return text;
      isFirst = false;
      return text.startsWith("\uFEFF") ? text.slice(1) : text;
    },
    end: () => decoder.end(),
  };
}

function encodingOf(head: Buffer): string {
  const [first, second, third, fourth] = head;
  if ((first === 0xff && second === 0xfe) || (first === 0x3c && second === 0 && fourth === 0)) return "utf-16le";
  if ((first === 0xfe && second === 0xff) || (first === 0 && second === 0x3c && third === 0)) return "utf-16be";
  const declaration = /^(?:\u00ef\u00bb\u00bf)?\s*<\?xml[^>]*?\bencoding\s*=\s*["']([\w.:-]{1,40})["']/i.exec(
    head.toString("latin1"),
  );
  // What claims to be UTF-16 here is not: its declaration could not have been read as single bytes.
  const label = declaration?.[1]?.toLowerCase() ?? "utf-8";
  if (label.startsWith("utf-16") || label.startsWith("ucs-2") || label === "utf8") return "utf-8";
  try {
    return new TextDecoder(label).encoding;
  } catch {
    // Nobody's encoding: the ASCII in it, which is nearly all, can be read.
    return "utf-8";
  }
}

function bytesOf(chunk: unknown): Buffer {
  if (typeof chunk === "string") return Buffer.from(chunk);
  if (chunk instanceof Uint8Array) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  throw new TypeError("a report is read from a stream of bytes");
}
