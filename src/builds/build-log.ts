/**
 * Writing the log of one build: to files, bounded, in a way that a killed worker's successor can go on at the byte where it
 * stopped; and, thinned to what a reader can follow, to a live stream.
 */
import { createWriteStream } from "node:fs";
import { type FileHandle, mkdir, open, readFile, rename, rm, stat, truncate } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { StringDecoder } from "node:string_decoder";
import { createGzip } from "node:zlib";
import { z } from "zod";
import type { OutputPosition } from "../runtime.ts";
import { formatBytes } from "../units.ts";
import { concatenate, keptLog, logHead, logIndex, logPieces, logTail } from "./log-files.ts";

/** Where in a step's own output the log has arrived. */
export interface LogPosition {
  readonly step: string;
  readonly output: OutputPosition;
}

/** How much waits in memory before the writer of the log has to wait for the disk. */
const BUFFER_BYTES = 64 * 1024;
const FLUSH_MS = 40;
/** The most that goes to the live stream in one flush; a flood is skipped there, and whole in the file. */
const LIVE_BYTES = 32 * 1024;
/** Segments of the tail that are kept beside each other; the oldest goes when a new one begins. */
const TAIL_SEGMENTS = 2;

/** One line of the index: after `bytes` of piece `piece` (0 is the head) the log had this length and position. */
const IndexEntry = z.strictObject({
  piece: z.number().int(),
  bytes: z.number().int(),
  total: z.number().int(),
  step: z.string(),
  stdout: z.number().int(),
  stderr: z.number().int(),
});
type IndexEntry = z.infer<typeof IndexEntry>;

/** Takes text for those who watch; `at` is the offset of its first byte in the whole log. */
export type LivePublisher = (at: number, text: string) => void;

export interface BuildLogOptions {
  readonly folder: string;
  readonly number: number;
  /** Past this many bytes the middle of the log is left out: the first three quarters and at least the last eighth stay. */
  readonly limitBytes: number;
  readonly publish?: LivePublisher;
}

export class BuildLog {
  readonly #options: BuildLogOptions;
  #file: FileHandle;
  readonly #index: FileHandle;
  #piece: number;
  #pieceBytes: number;
  #total: number;
  #position: LogPosition;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();
  #failure: unknown;
  #decoder = new StringDecoder("utf8");
  #endsWithNewline = true;

  private constructor(options: BuildLogOptions, file: FileHandle, index: FileHandle, last: IndexEntry) {
    this.#options = options;
    this.#file = file;
    this.#index = index;
    this.#piece = last.piece;
    this.#pieceBytes = last.bytes;
    this.#total = last.total;
    this.#position = { step: last.step, output: { stdout: last.stdout, stderr: last.stderr } };
  }

  /**
   * Begins a log, or goes on with what an earlier attempt left: whatever was written after its last complete index entry is cut
   * off, so that log and position agree.
   */
  static async open(options: BuildLogOptions): Promise<BuildLog> {
    const { folder, number } = options;
    await mkdir(folder, { recursive: true });
    const { last, bytes: indexBytes } = await readIndex(logIndex(folder, number));
    if (indexBytes > 0) await truncate(logIndex(folder, number), indexBytes);
    const path = pieceOf(folder, number, last.piece);
    for (const piece of await logPieces(folder, number)) {
      const segment = /tail-(\d+)$/.exec(piece)?.[1];
      if (segment !== undefined && Number(segment) > last.piece) await rm(piece);
    }
    if (last.total > 0) await truncate(path, last.bytes);
    else await rm(path, { force: true });
    const file = await openForAppending(path);
    return new BuildLog(options, file, await openForAppending(logIndex(folder, number)), last);
  }

  /** Where an earlier attempt stopped; all zero in a new log. */
  get position(): LogPosition {
    return this.#position;
  }

  /** Length of everything that was written, also of what was left out. */
  get totalBytes(): number {
    return this.#total + this.#pendingBytes;
  }

  /** A line of our own. It begins on a line of its own, whatever the program before it left open. */
  async line(text: string): Promise<void> {
    await this.#append(Buffer.from(`${this.#endsWithNewline ? "" : "\n"}${text}\n`));
  }

  /** Output of a step; `position` is where in that step's output the chunk ends. Waits when the disk is slower. */
  async write(bytes: Uint8Array, position: LogPosition): Promise<void> {
    this.#position = position;
    await this.#append(bytes);
  }

  /** Forgets a step's position: the next output is that of a new container. */
  startStep(step: string): void {
    this.#position = { step, output: { stdout: 0, stderr: 0 } };
  }

  async #append(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    this.#endsWithNewline = bytes.at(-1) === 10;
    if (this.#pendingBytes >= BUFFER_BYTES) await this.flush();
    else
      this.#timer ??= setTimeout(
        () => void this.flush().catch(() => undefined /* the next write throws it */),
        FLUSH_MS,
      );
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Puts everything so far on the disk and before those who watch. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flushing = this.#flushing.then(() => this.#flushOnce());
    await this.#flushing;
  }

  async #flushOnce(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#pendingBytes === 0) return;
    const bytes = Buffer.concat(this.#pending);
    const position = this.#position;
    const at = this.#total;
    this.#pending = [];
    this.#pendingBytes = 0;
    try {
      await this.#file.appendFile(bytes);
      this.#pieceBytes += bytes.length;
      this.#total += bytes.length;
      await this.#index.appendFile(
        `${JSON.stringify({ piece: this.#piece, bytes: this.#pieceBytes, total: this.#total, step: position.step, ...position.output } satisfies IndexEntry)}\n`,
      );
      await this.#rotate();
    } catch (error) {
      this.#failure = error;
      throw error;
    }
    const shown = bytes.length > LIVE_BYTES ? bytes.subarray(bytes.length - LIVE_BYTES) : bytes;
    if (shown !== bytes) this.#decoder = new StringDecoder("utf8");
    const text = this.#decoder.write(shown);
    if (text !== "") this.#options.publish?.(at + bytes.length - shown.length, text);
  }

  async #rotate(): Promise<void> {
    const { folder, number, limitBytes } = this.#options;
    const room = this.#piece === 0 ? Math.ceil((limitBytes * 3) / 4) : Math.ceil(limitBytes / 8);
    if (this.#pieceBytes < room) return;
    await this.#file.close();
    this.#piece += 1;
    this.#pieceBytes = 0;
    this.#file = await openForAppending(pieceOf(folder, number, this.#piece));
    if (this.#piece > TAIL_SEGMENTS) await rm(logTail(folder, number, this.#piece - TAIL_SEGMENTS), { force: true });
  }

  /** Leaves the pieces as they are for the next attempt. */
  async suspend(): Promise<void> {
    await this.flush();
    await this.#file.close();
    await this.#index.close();
  }

  /** Ends the log: compresses what is kept, with a line in place of what was left out, and removes the pieces. */
  async close(): Promise<void> {
    await this.suspend();
    const { folder, number } = this.#options;
    const pieces = await logPieces(folder, number);
    let kept = 0;
    for (const piece of pieces) kept += (await stat(piece)).size;
    const dropped = this.#total - kept;
    const gap = `\n… ${formatBytes(dropped)} of log left out here: it passed the limit …\n`;
    const whole = concatenate(pieces, (index) => (index === 1 && dropped > 0 ? gap : ""));
    const target = keptLog(folder, number);
    await pipeline(whole, createGzip(), createWriteStream(`${target}.part`));
    await rename(`${target}.part`, target);
    for (const piece of [...pieces, logIndex(folder, number)]) await rm(piece, { force: true });
  }
}

function pieceOf(folder: string, number: number, piece: number): string {
  return piece === 0 ? logHead(folder, number) : logTail(folder, number, piece);
}

async function openForAppending(path: string): Promise<FileHandle> {
  return open(path, "a", 0o600);
}

/** The last complete entry, and how many bytes of the index are complete. */
async function readIndex(path: string): Promise<{ last: IndexEntry; bytes: number }> {
  const start: IndexEntry = { piece: 0, bytes: 0, total: 0, step: "", stdout: 0, stderr: 0 };
  const text = await readFile(path, "utf8").catch(() => "" /* a new log */);
  // A line without its newline was cut by the kill, and the bytes it speaks of are cut off with it.
  const complete = text.slice(0, text.lastIndexOf("\n") + 1);
  const lines = complete.trimEnd();
  const last = lines.slice(lines.lastIndexOf("\n") + 1);
  if (last === "") return { last: start, bytes: 0 };
  return { last: IndexEntry.parse(JSON.parse(last)), bytes: complete.length };
}
