/** lcov's tracefiles (geninfo(1)): what c8, vitest, jest, gcov and many others write. Only which lines were run is read of it. */
import { BrokenReport } from "./broken-report.ts";
import type { CoverageReport } from "./coverage.ts";
import { type CoveredFile, CoveredFiles } from "./covered-file.ts";
import type { ReportReader } from "./report-reader.ts";

const NEWLINE = 10;
const COLON = 58;
const COMMA = 44;
const MINUS = 45;
const ZERO = 48;
const NINE = 57;
/** `DA` */
const D = 68;
const A = 65;
/** No name is that long, and what has no newline is no tracefile. */
const LINE_LENGTH_MAX = 64 * 1024;
const SECTION_LINES = 4_096;
const UINT32_MAX = 0xffff_ffff;
const OTHER_RECORD = /^(?:[A-Z]{2,5}:|#|\s*$)/;

/** Works on the bytes as they come: a tracefile may have a hundred megabytes of short lines. */
export class LcovReader implements ReportReader {
  readonly #files = new CoveredFiles();
  #file: CoveredFile | undefined;
  /** Lines and counts of the file, handed over together: one call for each would take as long as all the rest. */
  #numbers = new Uint32Array(SECTION_LINES);
  #counts = new Uint32Array(SECTION_LINES);
  #used = 0;
  #carried: Buffer = Buffer.alloc(0);
  #lines = 0;

  push(chunk: Buffer): void {
    let rest = chunk;
    if (this.#carried.length > 0) {
      const end = chunk.indexOf(NEWLINE) + 1;
      if (end === 0) {
        this.#carry(Buffer.concat([this.#carried, chunk]));
        return;
      }
      this.#readLines(Buffer.concat([this.#carried, chunk.subarray(0, end)]));
      rest = chunk.subarray(end);
    }
    const end = rest.lastIndexOf(NEWLINE) + 1;
    this.#readLines(rest.subarray(0, end));
    this.#carry(rest.subarray(end));
  }

  end(): CoverageReport {
    if (this.#carried.length > 0) this.#readLines(Buffer.concat([this.#carried, Buffer.from("\n")]));
    if (this.#file !== undefined) throw new BrokenReport(`is cut off at line ${this.#lines}`);
    return this.#files.finish("lines");
  }

  #carry(bytes: Buffer): void {
    if (bytes.length > LINE_LENGTH_MAX) throw new BrokenReport(`has a line without an end at line ${this.#lines + 1}`);
    this.#carried = bytes;
  }

  /** Whole lines, each with its newline. */
  #readLines(bytes: Buffer): void {
    const length = bytes.length;
    const numbers = this.#numbers;
    const counts = this.#counts;
    let used = this.#used;
    let isInFile = this.#file !== undefined;
    let count = this.#lines;
    for (let at = 0; at < length; ) {
      count += 1;
      if (bytes[at] !== D || bytes[at + 1] !== A || bytes[at + 2] !== COLON) {
        const end = bytes.indexOf(NEWLINE, at);
        this.#lines = count;
        // FN, FNDA and BRDA are most of the others, and say nothing of lines.
        const first = bytes[at];
        if (first !== 66 && first !== 70) {
          this.#used = used;
          this.#readRecord(bytes, at, end);
          used = this.#used;
          isInFile = this.#file !== undefined;
        }
        at = end + 1;
        continue;
      }
      at += 3;
      const numberAt = at;
      let line = 0;
      let byte = bytes[at] ?? 0;
      while (byte >= ZERO && byte <= NINE) {
        line = line * 10 + byte - ZERO;
        at += 1;
        byte = bytes[at] ?? 0;
      }
      if (byte !== COMMA || at === numberAt || !isInFile) throw this.#notARecord(count);
      at += 1;
      byte = bytes[at] ?? 0;
      const isNegative = byte === MINUS;
      if (isNegative) {
        at += 1;
        byte = bytes[at] ?? 0;
      }
      const countAt = at;
      let hits = 0;
      while (byte >= ZERO && byte <= NINE) {
        hits = hits * 10 + byte - ZERO;
        at += 1;
        byte = bytes[at] ?? 0;
      }
      if (at === countAt) throw this.#notARecord(count);
      // A checksum may follow.
      while (byte !== NEWLINE) {
        at += 1;
        byte = bytes[at] ?? NEWLINE;
      }
      at += 1;
      if (used === SECTION_LINES) {
        this.#used = used;
        this.#handOver();
        used = 0;
      }
      numbers[used] = Math.min(line, UINT32_MAX);
      counts[used] = isNegative ? 0 : Math.min(hits, UINT32_MAX);
      used += 1;
    }
    this.#used = used;
    this.#lines = count;
  }

  #readRecord(bytes: Buffer, from: number, to: number): void {
    const text = bytes.toString("utf8", from, to).trimEnd();
    if (text.startsWith("SF:")) {
      this.#handOver();
      this.#file = this.#files.file(text.slice(3));
    } else if (text === "end_of_record") {
      this.#handOver();
      this.#file = undefined;
    } else if (!OTHER_RECORD.test(text)) throw this.#notARecord(this.#lines);
  }

  #handOver(): void {
    this.#file?.addLines(this.#numbers.slice(0, this.#used), this.#counts.slice(0, this.#used));
    this.#used = 0;
  }

  #notARecord(line: number): BrokenReport {
    return new BrokenReport(`has at line ${line} what is no record of lcov's`);
  }
}
