/** Reads JUnit XML as it comes, in the dialects of the tools that people use. */
import { BrokenReport } from "./broken-report.ts";
import { cleanName, milliseconds } from "./clean-name.ts";
import { failureDetails, SAID_MAX } from "./failure-message.ts";
import { junitName } from "./junit-name.ts";
import type { TextPiece } from "./report-text.ts";
import type { TestCase } from "./test-case.ts";
import { type XmlHandler, XmlReader } from "./xml.ts";

const ATTRIBUTES = new Set(["name", "classname", "time", "file", "line", "message", "status", "result"]);
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

/** A test between its tags. */
interface OpenCase {
  readonly attributes: ReadonlyMap<string, string>;
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

  open(name: string, attributes: ReadonlyMap<string, string>): void {
    if (!this.#isInside) this.#enter(name);
    if (this.wantsText) this.#depth += 1;
    else if (name === "testcase") this.#begin(attributes);
    else if (name === "testsuite") this.#suites.push(attributes.get("name")?.trim() ?? "");
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
    }
  }

  #enter(name: string): void {
    if (name.toLowerCase() === "html") throw new BrokenReport("is HTML, and no test report");
    if (name !== "testsuites" && name !== "testsuite") {
      throw new BrokenReport(`begins with <${cleanName(name).slice(0, 40)}>, where JUnit XML has <testsuites>`);
    }
    this.#isInside = true;
  }

  #begin(attributes: ReadonlyMap<string, string>): void {
    this.#finish();
    const isSkipped = NOT_RUN.has((attributes.get("status") ?? attributes.get("result") ?? "").toLowerCase());
    this.#case = { attributes, state: isSkipped ? "skipped" : "passed", isFlaky: false, message: "", text: "" };
  }

  /** Of several failures the first counts: what comes after it follows from it, or repeats it. */
  #fail(attributes: ReadonlyMap<string, string>): void {
    if (this.#case === undefined) this.#begin(new Map([["name", UNNAMED]]));
    const open = this.#case;
    if (open === undefined || open.state === "failed") return;
    open.state = "failed";
    open.message = attributes.get("message") ?? "";
    this.wantsText = true;
    this.#depth = 1;
  }

  #finish(): void {
    const open = this.#case;
    if (open === undefined) return;
    this.#case = undefined;
    const { attributes, state, isFlaky } = open;
    const name = attributes.get("name") ?? "";
    const classname = attributes.get("classname") ?? "";
    const { suite, name: title } = junitName({
      name: name.trim() === "" ? UNNAMED : name,
      classname: classname.trim(),
      suites: this.#suites,
    });
    // Most tests pass, and there are many: this object is put together without copying.
    const test: TestCase = { suite, name: title, state, durationMs: durationMsOf(attributes.get("time")) };
    if (state === "failed") Object.assign(test, failureDetails(open, placeOf(attributes)));
    else if (attributes.has("file")) Object.assign(test, placeOf(attributes));
    if (isFlaky && state === "passed") test.flaky = true;
    this.#cases.push(test);
  }
}

function placeOf(attributes: ReadonlyMap<string, string>): Pick<TestCase, "file" | "line"> {
  const file = cleanName(attributes.get("file") ?? "");
  const line = Number(attributes.get("line"));
  if (file === "") return {};
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
