/** What a tool says of a failing test, made fit to be shown: the most telling line first, and where in the sources it was. */
import { toUSVString } from "node:util";
import { plainText } from "../builds/plain-text.ts";
import { goHeadline } from "./go-headline.ts";
import { MESSAGE_LENGTH, type TestCase } from "./test-case.ts";

/** More of a failure's text than this is not looked at. */
export const SAID_MAX = 16 * 1024;
const LINE_MAX = 500;

/** What the report has of a failure. */
export interface Said {
  /** The `message` attribute; "" where there is none. */
  readonly message: string;
  /** The text, often with a stack trace. */
  readonly text: string;
}

export type FailureDetails = Pick<TestCase, "message" | "file" | "line">;

/** Words that tools write into `message` when they have nothing to say. */
const EMPTY_WORDS = /^(?:failed|failure|(?:build |test )?error|test failed|assertion failed|undefined|null|\{\})?\.?$/i;
/** Lines of Go's and Jest's that say no more than the test's name and state. */
const NOISE = /^\s*(?:● |=== (?:RUN|PAUSE|CONT|NAME)\b|--- (?:FAIL|PASS|SKIP): )|^(?:FAIL|PASS|exit status \d+)$/;

/** `file` and `line` as the report has them count more than those of the message. */
export function failureDetails(said: Said, known: Pick<TestCase, "file" | "line"> = {}): FailureDetails {
  const lines = inOrder(linesOf(said.message), linesOf(withoutNoise(said.text)));
  const message = toUSVString(lines.join("\n").slice(0, MESSAGE_LENGTH)).trimEnd();
  const at = placeIn(lines);
  const isThere = known.file === undefined || (at !== undefined && sameFile(at.file, known.file));
  const file = known.file ?? at?.file;
  const line = known.line ?? (isThere ? at?.line : undefined);
  return {
    ...(message === "" ? {} : { message }),
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
  };
}

function withoutNoise(text: string): string {
  return text
    .slice(0, SAID_MAX)
    .split("\n")
    .filter((line) => !NOISE.test(line))
    .join("\n");
}

/** The lines of the message, the most telling one first and not a second time. */
function inOrder(said: readonly string[], text: readonly string[]): readonly string[] {
  const [first = ""] = said;
  const [top = "", ...rest] = text;
  const telling = ofExpect(withoutCode(top), text) ?? ofNode(withoutCode(top), text) ?? withoutCode(top);
  if (isRunTogether(first, text)) return [telling, ...rest];
  if (!EMPTY_WORDS.test(first)) {
    const saysItToo = top.includes(first) && top.length <= first.length + LINE_MAX / 2;
    return saysItToo ? [telling, ...rest] : [...said, ...text];
  }
  if (text.length === 0) return said;
  const ofGo = goHeadline(text);
  return ofGo === undefined ? [telling, ...rest] : [ofGo, ...text.filter((line) => line.trim() !== ofGo)];
}

/** `Error [ERR_ASSERTION]: 2 == 3` says no more than `2 == 3`; other names of errors do. */
function withoutCode(line: string): string {
  return line
    .trim()
    .replace(/^\[?(\w*Error) \[ERR_\w+\]: /, "$1: ")
    .replace(/^Error: (?=.)/, "");
}

/** node --test writes a message without its line breaks into the attribute, and with them into the text. */
function isRunTogether(message: string, text: readonly string[]): boolean {
  const squeeze = (line: string): string => line.replaceAll(/\s/g, "");
  const [top = ""] = text;
  const first = squeeze(withoutCode(top));
  const whole = squeeze(message);
  return (
    first !== "" && whole.length > first.length && whole.startsWith(first) && squeeze(text.join("")).includes(whole)
  );
}

/** Of node:assert, whose first line names neither of the two values: the first that differ, `+` what was and `-` what should be. */
function ofNode(first: string, text: readonly string[]): string | undefined {
  if (!/^Expected (?:values|"actual").*:$/.test(first)) return undefined;
  const [got, expected] = ["+", "-"].map((sign) =>
    text
      .find((line) => line.startsWith(`${sign} `) && line !== "+ actual - expected")
      ?.slice(2)
      .trim(),
  );
  return got === undefined || expected === undefined ? undefined : `${first} got ${got}, expected ${expected}`;
}

/** Of Jest's matchers, whose first line names neither of the two values. */
function ofExpect(first: string, text: readonly string[]): string | undefined {
  if (!first.startsWith("expect(")) return undefined;
  const values = ["Expected", "Received"].flatMap((word) => text.find((line) => line.startsWith(word)) ?? []);
  const matcher = first.replace(/\s*\/\/ .*$/, "");
  return values.length === 0 ? undefined : `${matcher}: ${values.map((line) => line.trim()).join(", ")}`;
}

/** Without controls and colours, also as pytest writes them (`#x1B[31m`) and as others leave them (`[31m`); no empty lines around. */
function linesOf(text: string): string[] {
  const lines = text
    .slice(0, SAID_MAX)
    .split("\n")
    .map((line) =>
      plainText(line.replace(/(?:#x1B)?\[\d{1,3}(?:;\d{1,3})*m|#x(?:0[0-8BCE]|1[0-9A-F])/g, ""))
        .trimEnd()
        .slice(0, LINE_MAX),
    );
  while (lines[0] === "") lines.shift();
  while (lines.at(-1) === "") lines.pop();
  return lines.length === 0 ? [] : [(lines[0] ?? "").trimStart(), ...lines.slice(1)];
}

const PLACE =
  /(?<![\w@./\\+-])(?:file:\/\/)?(?<file>[\w@./\\+-]{1,200}\.(?:[cm]?[jt]sx?|vue|svelte|go|py|java|kt|scala|rb|rs|php|cs|c|cc|cpp|h|hpp|ex|exs|swift|lua|pl|t|sh)):(?<line>[1-9]\d{0,6})\b/g;
const PYTHON_PLACE = /File "(?<file>[^"]{1,200}\.py)", line (?<line>[1-9]\d{0,6})/g;
/** The tools' own files, in which no test is. */
const FOREIGN =
  /(?:^|\/)(?:node_modules|site-packages|dist-packages)\/|^\/usr\/|^_testmain\.go$|^node:|\/go\/(?:pkg|src)\/|go-?\d[\d.]*\/src\//;

/** The first place of the project's own sources in it. */
function placeIn(lines: readonly string[]): { file: string; line: number } | undefined {
  for (const text of lines) {
    for (const { groups } of [...text.matchAll(PLACE), ...text.matchAll(PYTHON_PLACE)]) {
      const { file = "", line = "" } = groups ?? {};
      if (!FOREIGN.test(file) && !/\bnode:/.test(text)) return { file: file.replaceAll("\\", "/"), line: Number(line) };
    }
  }
  return undefined;
}

function sameFile(a: string, b: string): boolean {
  return a === b || a.endsWith(`/${b}`) || b.endsWith(`/${a}`);
}
