/** Reads JUnit XML as it comes, in the dialects of the tools that people use. */
import { BrokenReport } from "./broken-report.ts";
import { cleanName, milliseconds } from "./clean-name.ts";
import { failureDetails, SAID_MAX } from "./failure-message.ts";
import { junitName, realSuites } from "./junit-name.ts";
import type { TextPiece } from "./report-text.ts";
import type { TestCase, TestName } from "./test-case.ts";
import { type Attributes, type XmlHandler, XmlReader } from "./xml.ts";

const ATTRIBUTES = ["name", "classname", "time", "file", "line", "message", "status", "result"];
/** What `status` or `result` says of a test that was not run (GoogleTest, Bazel). */
const NOT_RUN = new Set(["notrun", "skipped", "disabled", "suppressed", "ignored"]);
/** A test that is named nowhere but has failed: the suite could not be set up. */
const UNNAMED = "(whole suite)";

/** The cases of a report, some at a time. @throws BrokenReport, after the cases before it. */
export async function* readJUnit(
  pieces: AsyncIterable<TextPiece>,
): AsyncGenerator<readonly TestCase[], void, undefined> {
  const document = new JUnitDocument();
  const xml = new XmlReader(document, ATTRIBUTES);
  try {
    for await (const piece of pieces) {
      xml.write(piece);
      if (document.hasCases) yield document.take();
    }
    xml.end();
  } catch (error) {
    if (error instanceof BrokenReport && document.hasCases) yield document.take();
    throw error;
  }
}

const NO_ATTRIBUTES: Attributes = { get: () => undefined };

/** A test between its tags. */
interface OpenCase {
  readonly name: TestName;
  readonly durationMs: number;
  readonly place: Pick<TestCase, "file" | "line"> | undefined;
  state: TestCase["state"];
  isFlaky: boolean;
  message: string;
  text: string;
}

class JUnitDocument implements XmlHandler {
  wantsText = false;
  #cases: TestCase[] = [];
  #isInside = false;
  readonly #suites: string[] = [];
  /** Of them those that say something. */
  #around: readonly string[] = [];
  #case: OpenCase | undefined;
  /** How many elements are open inside the failure whose text is wanted. */
  #depth = 0;

  get hasCases(): boolean {
    return this.#cases.length > 0;
  }

  take(): readonly TestCase[] {
    const taken = this.#cases;
    this.#cases = [];
    return taken;
  }

  open(name: string, attributes: Attributes): void {
    if (!this.#isInside) this.#enter(name);
    if (this.wantsText) this.#depth += 1;
    else if (name === "testcase") this.#begin(attributes);
    else if (name === "testsuite") this.#enterSuite(attributes.get("name")?.trim() ?? "");
    else if (name === "failure" || name === "error") this.#fail(attributes);
    else if (this.#case === undefined) return;
    else if (name === "flakyFailure" || name === "flakyError") this.#case.isFlaky = true;
    else if (name === "skipped" && this.#case.state === "passed") this.#case.state = "skipped";
  }

  text(piece: string): void {
    if (this.#case !== undefined && this.#case.text.length < SAID_MAX) this.#case.text += piece;
  }

  close(name: string): void {
    if (this.#depth > 0) {
      this.#depth -= 1;
      if (this.#depth === 0) this.wantsText = false;
      return;
    }
    if (name === "testcase") this.#finish();
    if (name === "testsuite") {
      this.#finish();
      this.#suites.pop();
      this.#around = realSuites(this.#suites);
    }
  }

  #enterSuite(name: string): void {
    this.#suites.push(name);
    this.#around = realSuites(this.#suites);
  }

  #enter(name: string): void {
    if (name.toLowerCase() === "html") throw new BrokenReport("is HTML, and no test report");
    if (name !== "testsuites" && name !== "testsuite") {
      throw new BrokenReport(`begins with <${cleanName(name).slice(0, 40)}>, where JUnit XML has <testsuites>`);
    }
    this.#isInside = true;
  }

  #begin(attributes: Attributes): void {
    this.#finish();
    const name = attributes.get("name") ?? "";
    const isSkipped = NOT_RUN.has((attributes.get("status") ?? attributes.get("result") ?? "").toLowerCase());
    this.#case = {
      name: junitName({
        name: name.trim() === "" ? UNNAMED : name,
        classname: attributes.get("classname")?.trim() ?? "",
        around: this.#around,
      }),
      durationMs: durationMsOf(attributes.get("time")),
      place: placeOf(attributes),
      state: isSkipped ? "skipped" : "passed",
      isFlaky: false,
      message: "",
      text: "",
    };
  }

  /** Of several failures the first counts: what comes after it follows from it, or repeats it. */
  #fail(attributes: Attributes): void {
    const message = attributes.get("message") ?? "";
    if (this.#case === undefined) this.#begin(NO_ATTRIBUTES);
    const open = this.#case;
    if (open === undefined || open.state === "failed") return;
    open.state = "failed";
    open.message = message;
    this.wantsText = true;
    this.#depth = 1;
  }

  #finish(): void {
    const open = this.#case;
    if (open === undefined) return;
    this.#case = undefined;
    const { name, state, durationMs, place } = open;
    // Most tests pass, and there are many: this object is put together without copying.
    const test: TestCase = { suite: name.suite, name: name.name, state, durationMs };
    if (state === "failed") Object.assign(test, failureDetails(open, place));
    else if (place !== undefined) Object.assign(test, place);
    if (open.isFlaky && state === "passed") test.flaky = true;
    this.#cases.push(test);
  }
}

function placeOf(attributes: Attributes): Pick<TestCase, "file" | "line"> | undefined {
  const file = cleanName(attributes.get("file") ?? "");
  if (file === "") return undefined;
  const line = Number(attributes.get("line"));
  return Number.isSafeInteger(line) && line > 0 ? { file, line } : { file };
}

/** Seconds, as `0.012`, `1,234.5`, `0,012` or `1.2e-05`; 0 for anything else. */
function durationMsOf(time: string | undefined): number {
  if (time === undefined) return 0;
  const seconds = time.includes(",") ? withoutCommas(time.trim()) : Number(time);
  return seconds > 0 ? milliseconds(seconds) : 0;
}

/** A comma stands before three digits of a thousand, or in the place of the point. */
function withoutCommas(text: string): number {
  const isThousands = text.includes(".") || /^[1-9]\d{0,2}(?:,\d{3})+$/.test(text);
  return Number(text.replaceAll(",", isThousands ? "" : "."));
}
