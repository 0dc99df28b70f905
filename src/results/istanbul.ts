/**
 * Istanbul's own JSON (`coverage-final.json`): an object of one entry a file. The entries are cut out of the bytes and parsed one
 * by one, so that memory holds one file's at a time, and none of them keeps the process busy for long.
 */
import { z } from "zod";
import { BrokenReport } from "./broken-report.ts";
import type { CoverageReport } from "./coverage.ts";
import { CoveredFiles } from "./covered-file.ts";
import type { ReportReader } from "./report-reader.ts";

const ENTRY_BYTES_MAX = 64 * 1024 * 1024;

const Entry = z.object({
  path: z.string(),
  statementMap: z.record(z.string(), z.object({ start: z.object({ line: z.number().nullable() }) })),
  s: z.record(z.string(), z.number()),
});
/** What nyc writes for a file that it was given already counted. */
const Wrapped = z.object({ data: Entry });

const [QUOTE, BACKSLASH, OPEN, CLOSE, COMMA, COLON, OPEN_LIST, CLOSE_LIST] = Buffer.from('"\\{},:[]');

export class IstanbulReader implements ReportReader {
  readonly #files = new CoveredFiles();
  #parts: Buffer[] = [];
  #partsBytes = 0;
  #depth = 0;
  #inString = false;
  #isEscaped = false;
  /** Whether the value of an entry has begun. */
  #inValue = false;
  #isOver = false;

  push(chunk: Buffer): void {
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (this.#isEscaped) this.#isEscaped = false;
      else if (this.#inString) {
        if (byte === BACKSLASH) this.#isEscaped = true;
        else if (byte === QUOTE) this.#inString = false;
      } else if (byte === QUOTE) this.#inString = true;
      else if (byte === OPEN || byte === OPEN_LIST) {
        this.#depth += 1;
        if (this.#depth === 2 && this.#inValue) from = at;
      } else if (byte === CLOSE || byte === CLOSE_LIST) {
        this.#depth -= 1;
        if (this.#depth === 1 && this.#inValue) {
          this.#keep(chunk.subarray(from, at + 1));
          this.#readEntry();
        }
        if (this.#depth === 0) this.#isOver = true;
      } else if (this.#depth === 1 && byte === COLON) {
        this.#inValue = true;
        this.#drop();
      } else if (this.#depth === 1 && byte === COMMA) this.#inValue = false;
      if (this.#isOver && byte !== CLOSE && byte !== undefined && byte > 32) throw notIstanbul();
    }
    if (this.#inValue && this.#depth >= 2) this.#keep(chunk.subarray(from));
  }

  end(): CoverageReport {
    if (!this.#isOver) throw new BrokenReport("is cut off");
    return this.#files.finish("lines");
  }

  #keep(bytes: Buffer): void {
    this.#partsBytes += bytes.length;
    if (this.#partsBytes > ENTRY_BYTES_MAX) throw new BrokenReport("has an entry of more than 64 MB");
    this.#parts.push(Buffer.from(bytes));
  }

  #drop(): void {
    this.#parts = [];
    this.#partsBytes = 0;
  }

  #readEntry(): void {
    const text = Buffer.concat(this.#parts).toString();
    this.#drop();
    this.#inValue = false;
    const { path, statementMap, s } = parseEntry(text);
    // As istanbul does: a line is what begins on it, and was run as often as the one of these that was run most.
    const lines = new Map<number, number>();
    for (const [id, { start }] of Object.entries(statementMap)) {
      if (start.line === null || !Number.isInteger(start.line)) continue;
      lines.set(start.line, Math.max(lines.get(start.line) ?? 0, s[id] ?? 0));
    }
    const file = this.#files.file(path);
    for (const [line, hits] of [...lines].sort(([a], [b]) => a - b)) file.addLine(line, Math.trunc(hits));
  }
}

function parseEntry(text: string): z.infer<typeof Entry> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new BrokenReport("has an entry that is not JSON", { cause: error });
  }
  const parsed = Entry.safeParse(json);
  if (parsed.success) return parsed.data;
  const wrapped = Wrapped.safeParse(json);
  if (!wrapped.success) throw notIstanbul();
  return wrapped.data.data;
}

function notIstanbul(): BrokenReport {
  return new BrokenReport("is JSON, but not Istanbul's");
}
