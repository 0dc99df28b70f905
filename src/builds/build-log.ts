/**
 * Writing the log of one build: to files, bounded, in a way that a killed worker's successor can go on at the byte where it
 * stopped; and, thinned to what a reader can follow, to a live stream.
 */
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { type FileHandle, mkdir, open, readFile, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { z } from "zod";
import { ifMissing } from "../missing.ts";
import { OUTPUT_START, type OutputPosition } from "../runtime.ts";
import { formatBytes } from "../units.ts";
import { concatenate, keptLog, logHead, logIndex, logPieces, logTail } from "./log-files.ts";

/** Where in the output of one step the log has arrived; `step` names the container of one try, such as `tests#2`. */
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

/**
 * One line of the index: after `bytes` of piece `piece` (0 is the head) the log had this length, and had come this far in the
 * output (stdout, stderr) of every step at work. An index that another version wrote in other words counts as none: the log of
 * a build that runs over an upgrade begins anew, with all that its containers have printed.
 */
const IndexEntry = z.strictObject({
  piece: z.number().int(),
  bytes: z.number().int(),
  total: z.number().int(),
  steps: z.record(z.string(), z.tuple([z.number().int(), z.number().int()])),
});
type IndexEntry = z.infer<typeof IndexEntry>;

const NO_ENTRY: IndexEntry = { piece: 0, bytes: 0, total: 0, steps: {} };

/** Takes text for those who watch; `at` is the offset of its first byte in the whole log, `bytes` its length there. */
export type LivePublisher = (at: number, text: string, bytes: number) => void;

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
  readonly #positions: Map<string, OutputPosition>;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();
  #failure: unknown;
  /** The bytes of a character whose rest has not been written yet; the live stream gets whole ones. */
  #cutOff: Uint8Array = new Uint8Array();
  #endsWithNewline: boolean;

  private constructor(
    options: BuildLogOptions,
    file: FileHandle,
    index: FileHandle,
    last: IndexEntry,
    endsWithNewline: boolean,
  ) {
    this.#options = options;
    this.#file = file;
    this.#index = index;
    this.#piece = last.piece;
    this.#pieceBytes = last.bytes;
    this.#total = last.total;
    const positions = Object.entries(last.steps);
    this.#positions = new Map(positions.map(([step, [stdout, stderr]]) => [step, { stdout, stderr }]));
    this.#endsWithNewline = endsWithNewline;
  }

  /**
   * Begins a log, or goes on with what an earlier attempt left: whatever was written after its last complete index entry is cut
   * off, so that log and position agree.
   */
  static async open(options: BuildLogOptions): Promise<BuildLog> {
    const { folder, number } = options;
    await mkdir(folder, { recursive: true });
    await takeUpKept(folder, number);
    const { last, bytes: indexBytes } = await readIndex(logIndex(folder, number));
    if (indexBytes > 0) await truncate(logIndex(folder, number), indexBytes);
    else await rm(logIndex(folder, number), { force: true });
    const path = pieceOf(folder, number, last.piece);
    for (const piece of await logPieces(folder, number)) {
      const segment = /tail-(\d+)$/.exec(piece)?.[1];
      if (segment !== undefined && Number(segment) > last.piece) await rm(piece);
    }
    if (last.total > 0) await truncate(path, last.bytes);
    else await rm(path, { force: true });
    const file = await openForAppending(path);
    const index = await openForAppending(logIndex(folder, number));
    return new BuildLog(options, file, index, last, await endsLine(path, last.bytes));
  }

  /** How far the log has come in the output of a step at work, by this attempt or an earlier one; undefined for any other. */
  positionOf(step: string): OutputPosition | undefined {
    return this.#positions.get(step);
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
  async write(bytes: Uint8Array, { step, output }: LogPosition): Promise<void> {
    this.#positions.set(step, output);
    await this.#append(bytes);
  }

  /** The next output of the step is that of a new container. */
  startStep(step: string): void {
    this.#positions.set(step, OUTPUT_START);
  }

  /** Forgets a step: it is over, and its result is written down. */
  endStep(step: string): void {
    this.#positions.delete(step);
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
    const positions = [...this.#positions].map(([step, { stdout, stderr }]) => [step, [stdout, stderr]] as const);
    const at = this.#total;
    this.#pending = [];
    this.#pendingBytes = 0;
    try {
      await this.#file.appendFile(bytes);
      this.#pieceBytes += bytes.length;
      this.#total += bytes.length;
      const entry = { piece: this.#piece, bytes: this.#pieceBytes, total: this.#total };
      await this.#index.appendFile(`${JSON.stringify({ ...entry, steps: Object.fromEntries(positions) })}\n`);
      await this.#rotate();
    } catch (error) {
      this.#failure = error;
      throw error;
    }
    this.#show(at, bytes);
  }

  #show(at: number, bytes: Buffer): void {
    const whole = this.#cutOff.length === 0 ? bytes : Buffer.concat([this.#cutOff, bytes]);
    const end = endOfCharacters(whole);
    this.#cutOff = whole.subarray(end);
    const start = end <= LIVE_BYTES ? 0 : startOfCharacter(whole, end - LIVE_BYTES);
    const text = whole.toString("utf8", start, end);
    if (text !== "") this.#options.publish?.(at + bytes.length - whole.length + start, text, end - start);
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
    try {
      await this.flush();
    } finally {
      // Also where the disk is full.
      await this.#file.close();
      await this.#index.close();
    }
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

/**
 * A worker that was killed after it had closed the log, and before the record said how the build ended, leaves only the kept
 * log: it becomes the head again. The kept one goes last, so that a second kill finds all of it in the same place.
 */
async function takeUpKept(folder: string, number: number): Promise<void> {
  const kept = keptLog(folder, number);
  if (!existsSync(kept) || (await readIndex(logIndex(folder, number))).bytes > 0) return;
  const head = logHead(folder, number);
  await pipeline(createReadStream(kept), createGunzip(), createWriteStream(head));
  const { size } = await stat(head);
  const entry: IndexEntry = { ...NO_ENTRY, bytes: size, total: size };
  await writeFile(logIndex(folder, number), `${JSON.stringify(entry)}\n`);
  await rm(kept);
}

function pieceOf(folder: string, number: number, piece: number): string {
  return piece === 0 ? logHead(folder, number) : logTail(folder, number, piece);
}

async function openForAppending(path: string): Promise<FileHandle> {
  return open(path, "a", 0o600);
}

/** Whether the first `bytes` of a piece end with a whole line; an empty piece does. */
async function endsLine(path: string, bytes: number): Promise<boolean> {
  if (bytes === 0) return true;
  const file = await open(path, "r");
  try {
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, bytes - 1);
    return buffer[0] === 10;
  } finally {
    await file.close();
  }
}

/** Where the last character begins if the bytes end in the middle of it, else their length (RFC 3629, 3). */
function endOfCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= 3; back += 1) {
    const byte = bytes[bytes.length - back];
    if (byte === undefined || byte < 0x80) break;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** The first place from `from` on where a character begins. */
function startOfCharacter(bytes: Uint8Array, from: number): number {
  let start = from;
  while (start < from + 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return start;
}

/** The last complete entry, and how many bytes of the index are good up to its end. */
async function readIndex(path: string): Promise<{ last: IndexEntry; bytes: number }> {
  const text = await readFile(path, "latin1").catch(ifMissing("" /* a new log */));
  // A line without its newline was cut by the kill, and the bytes it speaks of are cut off with it.
  for (let end = text.lastIndexOf("\n"); end >= 0; end = text.lastIndexOf("\n", end - 1)) {
    const entry = readEntry(text.slice(end === 0 ? 0 : text.lastIndexOf("\n", end - 1) + 1, end));
    if (entry !== undefined) return { last: entry, bytes: end + 1 };
    if (end === 0) break;
  }
  return { last: NO_ENTRY, bytes: 0 };
}

function readEntry(line: string): IndexEntry | undefined {
  try {
    return IndexEntry.safeParse(JSON.parse(line)).data;
  } catch {
    // Not JSON: what a crash of the machine left in the file; the entry before it counts.
    return undefined;
  }
}
