/** Reads what `go test -json` writes: a line of JSON for each event, and lines of plain text between them. */
import { z } from "zod";
import { BrokenReport } from "./broken-report.ts";
import { cleanName, milliseconds } from "./clean-name.ts";
import { failureDetails } from "./failure-message.ts";
import { isGoTelling } from "./go-headline.ts";
import { linesOf, type TextPiece } from "./report-text.ts";
import type { TestCase } from "./test-case.ts";

/** go doc test2json */
const GoEvent = z.object({
  Action: z.string(),
  Package: z.string().optional(),
  /** Of `build-output` and `build-fail`, which have no package. */
  ImportPath: z.string().optional(),
  Test: z.string().optional(),
  Output: z.string().optional(),
  /** Seconds. */
  Elapsed: z.number().optional(),
});
type GoEvent = z.infer<typeof GoEvent>;

/** Of what a test prints so much is kept while it runs, and a little more of lines that may say why it fails. */
const OUTPUT_MAX = 4 * 1024;
const TELLING_MAX = 4 * 1024;
/** Tests and packages at once; a report with more is not Go's. */
const OPEN_MAX = 100_000;
/** How far into a file without any event one is looked for. */
const PREFACE_LINES = 10_000;

/** The cases of a report, some at a time. @throws BrokenReport, after the cases before it. */
export async function* readGoTestJson(
  pieces: AsyncIterable<TextPiece>,
): AsyncGenerator<readonly TestCase[], void, undefined> {
  const run = new GoRun();
  try {
    for await (const lines of linesOf(pieces)) {
      for (const line of lines) run.line(line);
      if (run.hasCases) yield run.take();
    }
    run.end();
  } catch (error) {
    if (error instanceof BrokenReport && run.hasCases) yield run.take();
    throw error;
  }
}

class Output {
  #text = "";
  #telling = "";

  add(piece: string): void {
    if (this.#text.length < OUTPUT_MAX) this.#text += piece.slice(0, OUTPUT_MAX);
    else if (this.#telling.length < TELLING_MAX && isGoTelling(piece)) this.#telling += piece.slice(0, TELLING_MAX);
  }

  get text(): string {
    return this.#text + this.#telling;
  }
}

interface OpenTest {
  readonly output: Output;
  /** The last of its subtests that failed. */
  failedPart?: string;
}

interface OpenPackage {
  readonly tests: Map<string, OpenTest>;
  readonly output: Output;
  hasFailures: boolean;
}

class GoRun {
  #cases: TestCase[] = [];
  #events = 0;
  #lines = 0;
  #openCount = 0;
  readonly #packages = new Map<string, OpenPackage>();
  /** What the compiler said, by package. */
  readonly #compiler = new Map<string, Output>();
  /** The package of the compiler's lines just now, where they come as plain text. */
  #compiled: string | undefined;

  get hasCases(): boolean {
    return this.#cases.length > 0;
  }

  take(): readonly TestCase[] {
    const taken = this.#cases;
    this.#cases = [];
    return taken;
  }

  line(line: string): void {
    this.#lines += 1;
    const event = line.startsWith("{") ? parseEvent(line) : undefined;
    if (event === undefined) {
      this.#plain(line);
    } else {
      this.#events += 1;
      this.#event(event);
    }
    if (this.#events === 0 && this.#lines > PREFACE_LINES) throw notGo();
  }

  end(): void {
    if (this.#events === 0) throw notGo();
    const [name] = this.#packages.keys();
    for (const [key, pack] of this.#packages) this.#neverEnded(key, pack);
    if (name !== undefined) throw new BrokenReport(`stops before the tests of ${cleanName(name)} have ended`);
  }

  #event({ Action, Package, ImportPath, Test, Output: output, Elapsed }: GoEvent): void {
    if (Action === "build-output") this.#compilerOf(ImportPath ?? "").add(output ?? "");
    if (Package === undefined) return;
    const isEnd = Action === "pass" || Action === "fail" || Action === "skip";
    if (Test === undefined) {
      const pack = this.#package(Package);
      if (Action === "output") pack.output.add(output ?? "");
      if (isEnd) this.#endPackage(Package, pack, Action);
      return;
    }
    const pack = this.#package(Package);
    if (Action === "run" || Action === "output") this.#test(pack, Test).output.add(output ?? "");
    if (isEnd) this.#endTest(Package, pack, Test, Action, Elapsed ?? 0);
  }

  /** What is not JSON: the compiler's output where it was caught too, and the packages that it refused (Go before 1.24). */
  #plain(line: string): void {
    const compiled = /^# (?<name>\S+)/.exec(line)?.groups?.name;
    const refused = /^FAIL\s+(?<name>\S+) \[(?<why>(?:build|setup) failed)\]/.exec(line)?.groups;
    if (compiled !== undefined) this.#compiled = compiled;
    else if (refused?.name !== undefined) this.#refuse(refused.name, `[${refused.why}]`);
    else if (this.#compiled !== undefined) this.#compilerOf(this.#compiled).add(`${line}\n`);
  }

  #refuse(name: string, what: string): void {
    this.#events += 1;
    this.#compiled = undefined;
    const text = this.#compiler.get(name)?.text ?? "";
    this.#add(name, what, "failed", 0, failureDetails({ message: "", text }));
  }

  #compilerOf(name: string): Output {
    // `example.org/shop [example.org/shop.test]` is the package with its tests.
    const key = name.split(" ")[0] ?? "";
    const output = this.#compiler.get(key) ?? new Output();
    if (this.#compiler.size < OPEN_MAX) this.#compiler.set(key, output);
    return output;
  }

  #package(name: string): OpenPackage {
    const known = this.#packages.get(name);
    if (known !== undefined) return known;
    const pack: OpenPackage = { tests: new Map(), output: new Output(), hasFailures: false };
    this.#count();
    this.#packages.set(name, pack);
    return pack;
  }

  #test(pack: OpenPackage, name: string): OpenTest {
    const known = pack.tests.get(name);
    if (known !== undefined) return known;
    const test: OpenTest = { output: new Output() };
    this.#count();
    pack.tests.set(name, test);
    return test;
  }

  #count(): void {
    this.#openCount += 1;
    if (this.#openCount > OPEN_MAX) throw new BrokenReport(`has more than ${OPEN_MAX} tests that do not end`);
  }

  #endTest(suite: string, pack: OpenPackage, name: string, action: "pass" | "fail" | "skip", elapsed: number): void {
    const test = pack.tests.get(name);
    if (test !== undefined) this.#openCount -= 1;
    pack.tests.delete(name);
    if (action !== "fail") {
      this.#add(suite, name, action === "pass" ? "passed" : "skipped", elapsed);
      return;
    }
    pack.hasFailures = true;
    const slash = name.lastIndexOf("/");
    const parent = slash === -1 ? undefined : pack.tests.get(name.slice(0, slash));
    if (parent !== undefined) parent.failedPart = name.slice(slash + 1);
    const details = failureDetails({ message: "", text: test?.output.text ?? "" });
    const part = test?.failedPart === undefined ? {} : { message: `its part ${cleanName(test.failedPart)} failed` };
    this.#add(suite, name, "failed", elapsed, details.message === undefined ? part : details);
  }

  #endPackage(name: string, pack: OpenPackage, action: "pass" | "fail" | "skip"): void {
    this.#neverEnded(name, pack);
    this.#packages.delete(name);
    this.#openCount -= 1;
    const compiler = this.#compiler.get(name);
    this.#compiler.delete(name);
    if (action !== "fail" || pack.hasFailures) return;
    const what = /\[(?:build|setup) failed\]/.exec(pack.output.text)?.[0] ?? (compiler ? "[build failed]" : "[failed]");
    this.#add(name, what, "failed", 0, failureDetails({ message: "", text: compiler?.text ?? pack.output.text }));
  }

  /** Tests that were begun and are not heard of again: the process was killed under them. */
  #neverEnded(suite: string, pack: OpenPackage): void {
    for (const [name, { output }] of pack.tests) {
      const details = failureDetails({ message: "", text: output.text });
      const isPanic = details.message !== undefined && /^(?:panic|fatal error): /.test(details.message);
      const message = isPanic ? details.message : ["did not end", details.message ?? ""].join("\n").trim();
      this.#add(suite, name, "failed", 0, { ...details, ...(message === undefined ? {} : { message }) });
      pack.hasFailures = true;
      this.#openCount -= 1;
    }
    pack.tests.clear();
  }

  #add(suite: string, name: string, state: TestCase["state"], elapsed: number, details: Partial<TestCase> = {}): void {
    const durationMs = Number.isFinite(elapsed) && elapsed > 0 ? milliseconds(elapsed) : 0;
    this.#cases.push({ suite: cleanName(suite), name: cleanName(name), state, durationMs, ...details });
  }
}

function parseEvent(line: string): GoEvent | undefined {
  try {
    return GoEvent.safeParse(JSON.parse(line)).data;
  } catch {
    // A program printed something that begins like an event.
    return undefined;
  }
}

function notGo(): BrokenReport {
  return new BrokenReport("is neither JUnit XML nor the output of go test -json");
}
