/** Cobertura's and Clover's XML, told apart by what stands in it; a DOCTYPE is passed over, so nothing is fetched or expanded. */
import { Parser } from "htmlparser2";
import { BrokenReport } from "./broken-report.ts";
import type { CoverageReport } from "./coverage.ts";
import { type CoveredFile, CoveredFiles } from "./covered-file.ts";
import type { ReportReader } from "./report-reader.ts";

const DEPTH_MAX = 64;

export class XmlCoverageReader implements ReportReader {
  readonly #files = new CoveredFiles();
  readonly #parser: Parser;
  #decoder: TextDecoder | undefined;
  readonly #open: string[] = [];
  /** The text of `<source>`, while it is open. */
  #source: string | undefined;
  readonly #sources: string[] = [];
  #fileName = "";
  #file: CoveredFile | undefined;
  /** Lines of the methods of a class, which count where the class itself lists none. */
  #methodLines: [line: number, hits: number][] = [];
  #classHasLines = false;
  #isOver = false;
  #lines = 1;

  constructor() {
    this.#parser = new Parser(
      {
        onopentag: (name, attributes) => this.#opened(name, attributes),
        ontext: (text) => {
          if (this.#source !== undefined) this.#source = `${this.#source}${text}`.slice(0, 4_096);
        },
        onclosetag: (name) => this.#closed(name),
      },
      { xmlMode: true, decodeEntities: true },
    );
  }

  push(chunk: Buffer): void {
    this.#decoder ??= new TextDecoder(encodingOf(chunk));
    const text = this.#decoder.decode(chunk, { stream: true });
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) this.#lines += 1;
    this.#parser.write(text);
  }

  end(): CoverageReport {
    // The parser would close at its end what was never closed.
    if (!this.#isOver) throw new BrokenReport(`is cut off at line ${this.#lines}`);
    this.#parser.end();
    return this.#files.finish("lines");
  }

  #opened(name: string, attributes: Readonly<Record<string, string>>): void {
    if (this.#isOver) throw new BrokenReport(`goes on behind its end at line ${this.#lines}`);
    if (this.#open.length === 0 && name !== "coverage") throw new BrokenReport(`is XML of <${name}>`);
    if (this.#open.length >= DEPTH_MAX) throw new BrokenReport(`has more than ${DEPTH_MAX} tags inside each other`);
    const parent = this.#open.at(-1);
    this.#open.push(name);
    if (name === "source") this.#source = "";
    else if (name === "class") this.#beginClass(attributes.filename);
    // Clover's; `path` is whole where there is one.
    else if (name === "file") this.#file = this.#files.file(attributes.path ?? attributes.name ?? "");
    else if (name === "line" && parent === "file") this.#addCloverLine(attributes);
    else if (name === "line" && parent === "lines") this.#addCoberturaLine(attributes);
  }

  #beginClass(filename: string | undefined): void {
    // Clover's classes have none, and lie inside their file.
    if (filename === undefined) return;
    this.#fileName = filename;
    this.#file = this.#files.file(this.#located(filename));
    this.#methodLines = [];
    this.#classHasLines = false;
  }

  /** Names of files are relative to the folder in `<source>`; where there are several, nothing says to which. */
  #located(filename: string): string {
    const [source, ...others] = this.#sources;
    const isAbsolute = /^(?:[/\\]|[A-Za-z]:)/.test(filename);
    if (source === undefined || others.length > 0 || isAbsolute || source === ".") return filename;
    return `${source.replace(/[/\\]+$/, "")}/${filename}`;
  }

  #addCoberturaLine({ number, hits }: Readonly<Record<string, string>>): void {
    const line = numberOf("number", number);
    const count = numberOf("hits", hits);
    if (this.#file === undefined) throw new BrokenReport(`has line ${line} outside of a class`);
    if (this.#open.includes("method")) {
      this.#methodLines.push([line, count]);
      return;
    }
    this.#classHasLines = true;
    this.#file.addLine(line, count);
  }

  #addCloverLine(attributes: Readonly<Record<string, string>>): void {
    // A method's is its head, and counts its calls.
    if (attributes.type === "method") return;
    const { num, count, truecount = "0", falsecount = "0" } = attributes;
    const hits =
      count === undefined
        ? numberOf("truecount", truecount) + numberOf("falsecount", falsecount)
        : numberOf("count", count);
    this.#file?.addLine(numberOf("num", num), hits);
  }

  #closed(name: string): void {
    if (this.#open.pop() !== name) throw new BrokenReport(`has a stray </${name}> at line ${this.#lines}`);
    if (name === "source") {
      const source = this.#source?.trim() ?? "";
      if (source !== "") this.#sources.push(source);
      this.#source = undefined;
    }
    if (name === "class" && !this.#classHasLines && this.#fileName !== "") {
      for (const [line, hits] of this.#methodLines) this.#file?.addLine(line, hits);
    }
    if (this.#open.length === 0) this.#isOver = true;
  }
}

function numberOf(attribute: string, text: string | undefined): number {
  if (text !== undefined && /^-?\d{1,20}$/.test(text.trim())) return Math.max(0, Number(text));
  throw new BrokenReport(`has a line whose ${attribute} is ${text === undefined ? "missing" : "no number"}`);
}

/** As the first bytes say: by a byte order mark, or in the declaration. */
function encodingOf(head: Buffer): string {
  if (head[0] === 0xff && head[1] === 0xfe) return "utf-16le";
  if (head[0] === 0xfe && head[1] === 0xff) return "utf-16be";
  const declared = /^[^<]{0,3}<\?xml[^>]*?encoding=["']([\w.:-]{1,40})["']/.exec(head.toString("latin1", 0, 200))?.[1];
  try {
    return new TextDecoder(declared ?? "utf-8").encoding;
  } catch {
    // RangeError: an encoding that nobody knows is read as the usual one.
    return "utf-8";
  }
}
