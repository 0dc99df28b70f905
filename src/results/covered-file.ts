/** One file's coverage while a report is read: lines and blocks in any order, any number of times. */
import { BrokenReport } from "./broken-report.ts";
import type { CoverageReport, FileCoverage } from "./coverage.ts";

/** No source is longer; a number beyond it is a mistake, and would make the file's page endless. */
const LINE_MAX = 10_000_000;
const HITS_MAX = 0xffff_ffff;
const PATH_LENGTH = 1_000;
const FILES_MAX = 200_000;
/** Numbers of a block, as `FileCoverage.blocks` has them. */
export const BLOCK = 6;

/** Grows as it is filled; whole arrays are kept as they are, as copying large ones costs more than all the rest. */
class Numbers {
  readonly #parts: Uint32Array[] = [];
  #last = new Uint32Array(0);
  #used = 0;
  length = 0;

  push(value: number): void {
    if (this.#used === this.#last.length) {
      this.#close();
      this.#last = new Uint32Array(Math.max(16, Math.min(this.length, 65_536)));
    }
    this.#last[this.#used] = value;
    this.#used += 1;
    this.length += 1;
  }

  /** Takes the array over. */
  append(values: Uint32Array): void {
    this.#close();
    this.#parts.push(values);
    this.length += values.length;
  }

  taken(): Uint32Array {
    this.#close();
    const [first, ...others] = this.#parts;
    if (first !== undefined && others.length === 0) return first;
    const all = new Uint32Array(this.length);
    let at = 0;
    for (const part of this.#parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  #close(): void {
    if (this.#used > 0) this.#parts.push(this.#last.slice(0, this.#used));
    this.#last = new Uint32Array(0);
    this.#used = 0;
  }
}

export class CoveredFile {
  readonly #lines = new Numbers();
  readonly #hits = new Numbers();
  readonly #blocks = new Numbers();
  #last = 0;
  #isAscending = true;

  /** Counts of the same line are added. @throws BrokenReport for a number that no line can have. */
  addLine(line: number, hits: number): void {
    if (!(line >= 1 && line <= LINE_MAX)) throw new BrokenReport(`names line ${line} of a file`);
    if (line <= this.#last) this.#isAscending = false;
    this.#last = line;
    this.#lines.push(line);
    this.#hits.push(Math.min(Math.max(hits, 0), HITS_MAX));
  }

  /** The same for many at once, line by line beside their counts; both arrays are taken over. */
  addLines(lines: Uint32Array, hits: Uint32Array): void {
    let last = this.#last;
    for (const line of lines) {
      if (line < 1 || line > LINE_MAX) throw new BrokenReport(`names line ${line} of a file`);
      if (line <= last) this.#isAscending = false;
      last = line;
    }
    this.#last = last;
    this.#lines.append(lines);
    this.#hits.append(hits);
  }

  /** Counts of the same block are added. Lines are covered by any of the blocks that they have a part of. */
  addBlock(block: readonly number[]): void {
    if (block.length !== BLOCK) throw new Error("a block has six numbers");
    for (const value of block) this.#blocks.push(Math.min(value, HITS_MAX));
  }

  finish(path: string): FileCoverage {
    if (this.#blocks.length > 0) return ofBlocks(path, joinBlocks(this.#blocks.taken()));
    const [lines, hits] = this.#isAscending
      ? [this.#lines.taken(), this.#hits.taken()]
      : joinLines(this.#lines.taken(), this.#hits.taken());
    return ofLines(path, lines, hits);
  }
}

/** The files of one report, in whatever order it names them. */
export class CoveredFiles {
  readonly #files = new Map<string, CoveredFile>();

  file(named: string): CoveredFile {
    const path = shownPath(named);
    const known = this.#files.get(path);
    if (known !== undefined) return known;
    if (path === "") throw new BrokenReport("has a file without a name");
    if (this.#files.size >= FILES_MAX) throw new BrokenReport(`names more than ${FILES_MAX} files`);
    const made = new CoveredFile();
    this.#files.set(path, made);
    return made;
  }

  finish(unit: CoverageReport["unit"]): CoverageReport {
    if (this.#files.size === 0) throw new BrokenReport("names no file");
    const files = [...this.#files].map(([path, file]) => file.finish(path));
    return { unit, files: files.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)) };
  }
}

/** With `/` between folders, without `./` and `file://`, on one line and no longer than a path can be. */
function shownPath(named: string): string {
  const slashes = named.replaceAll("\\", "/").replace(/^file:\/\/(?=\/)/, "");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not stay
  const plain = slashes.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, "\ufffd");
  return plain.replace(/^(\.\/+)+/, "").slice(0, PATH_LENGTH);
}

function ofLines(path: string, lines: Uint32Array, hits: Uint32Array): FileCoverage {
  let covered = 0;
  for (const count of hits) if (count > 0) covered += 1;
  return { path, covered, total: lines.length, lines, hits };
}

function ofBlocks(path: string, blocks: Uint32Array): FileCoverage {
  const lines = new Map<number, number>();
  let covered = 0;
  let total = 0;
  for (let at = 0; at < blocks.length; at += BLOCK) {
    const [first = 0, , last = 0, , statements = 0, hits = 0] = blocks.subarray(at, at + BLOCK);
    total += statements;
    if (hits > 0) covered += statements;
    for (let line = first; line <= last; line += 1) lines.set(line, Math.max(lines.get(line) ?? 0, hits));
  }
  const numbers = Uint32Array.from(lines.keys()).sort();
  return {
    path,
    covered,
    total,
    lines: numbers,
    hits: Uint32Array.from(numbers, (line) => lines.get(line) ?? 0),
    blocks,
  };
}

/** Sorted as numbers of line and place: exact, as lines have 24 bits and places fewer than 29. */
function joinLines(lines: Uint32Array, hits: Uint32Array): [Uint32Array, Uint32Array] {
  const places = 2 ** 29;
  const order = Float64Array.from(lines, (line, index) => line * places + index).sort();
  const [joined, counts] = [new Numbers(), new Numbers()];
  let current = 0;
  let sum = 0;
  const close = (): void => {
    if (current === 0) return;
    joined.push(current);
    counts.push(Math.min(sum, HITS_MAX));
  };
  for (const key of order) {
    const line = Math.floor(key / places);
    if (line !== current) {
      close();
      [current, sum] = [line, 0];
    }
    sum += hits[key % places] ?? 0;
  }
  close();
  return [joined.taken(), counts.taken()];
}

function joinBlocks(blocks: Uint32Array): Uint32Array {
  const starts = Array.from({ length: blocks.length / BLOCK }, (_, index) => index * BLOCK);
  const compare = (a: number, b: number): number => {
    for (let field = 0; field < 4; field += 1) {
      const difference = (blocks[a + field] ?? 0) - (blocks[b + field] ?? 0);
      if (difference !== 0) return difference;
    }
    return 0;
  };
  starts.sort(compare);
  const joined = new Numbers();
  for (let index = 0; index < starts.length; ) {
    const start = starts[index] ?? 0;
    let hits = 0;
    let next = index;
    for (; next < starts.length && compare(start, starts[next] ?? 0) === 0; next += 1) {
      hits += blocks[(starts[next] ?? 0) + 5] ?? 0;
    }
    for (const value of blocks.subarray(start, start + 5)) joined.push(value);
    joined.push(Math.min(hits, HITS_MAX));
    index = next;
  }
  return joined.taken();
}
