/** Go's cover profiles (`go test -coverprofile`): statements, in blocks from a line and column to another. */
import { BrokenReport } from "./broken-report.ts";
import type { CoverageReport } from "./coverage.ts";
import { CoveredFiles } from "./covered-file.ts";
import type { ReportReader } from "./report-reader.ts";

/** `github.com/x/y/z.go:12.34,15.2 3 1`: from, to, statements, hits. */
const BLOCK_LINE = /^(.+):(\d{1,8})\.(\d{1,8}),(\d{1,8})\.(\d{1,8}) (\d{1,9}) (\d{1,20})$/;
const LINE_LENGTH_MAX = 64 * 1024;
/** What all blocks together may span: a profile of a few lines must not stand for a billion. */
const SPAN_MAX = 50_000_000;
const FILE_LINES_MAX = 1_000_000;

export class GoCoverReader implements ReportReader {
  readonly #files = new CoveredFiles();
  readonly #decoder = new TextDecoder();
  #carried = "";
  #lines = 0;
  #span = 0;

  push(chunk: Buffer): void {
    this.#read(this.#decoder.decode(chunk, { stream: true }));
  }

  end(): CoverageReport {
    this.#read(this.#decoder.decode());
    // A profile ends with a newline; the number before its end may be a part of a number.
    if (this.#carried !== "") throw new BrokenReport(`is cut off at line ${this.#lines + 1}`);
    return this.#files.finish("statements");
  }

  #read(text: string): void {
    const lines = (this.#carried + text).split("\n");
    this.#carried = lines.pop() ?? "";
    if (this.#carried.length > LINE_LENGTH_MAX) {
      throw new BrokenReport(`has a line without an end at line ${this.#lines + 1}`);
    }
    for (const line of lines) this.#readLine(line.trimEnd());
  }

  #readLine(line: string): void {
    this.#lines += 1;
    // Profiles are joined by writing one behind the other: each has its mode.
    if (line === "" || line.startsWith("mode: ")) return;
    const match = BLOCK_LINE.exec(line);
    if (match === null) throw new BrokenReport(`has at line ${this.#lines} what is no block of a Go cover profile`);
    const [, path = "", ...numbers] = match;
    const block = numbers.map(Number);
    const [first = 0, , last = 0] = block;
    this.#span += last - first + 1;
    if (last < first || last > FILE_LINES_MAX || this.#span > SPAN_MAX) {
      throw new BrokenReport(`has at line ${this.#lines} a block from line ${first} to line ${last}`);
    }
    this.#files.file(path).addBlock(block);
  }
}
