/** Why a build did not pass: what its tests reported, else what its log says, else how it ended. */
import type { Readable } from "node:stream";
import type { FinalState, StepResult } from "../builds/build.ts";
import type { LogLine } from "../builds/log-files.ts";
import { plainText } from "../builds/plain-text.ts";
import { stepLabel } from "../pipeline/plan.ts";
import type { Explanation } from "../results/summary.ts";
import type { FailingTest } from "../results/test-case.ts";
import { around, EXCERPT_LINES, lastWords } from "./excerpt.ts";
import { filesNamedIn } from "./files.ts";
import { kindOfReason, limitOf } from "./reasons.ts";
import { type Found, findCause } from "./search.ts";
import { signatureOf } from "./signature.ts";
import { readStepOutput, type StepOutput } from "./step-output.ts";
import { shortened } from "./text.ts";

/** Files are looked for in this many lines on either side of the telling one. */
const FILES_AROUND = 25;
/** A message shorter than this may stand anywhere in a log. */
const NEEDLE_LENGTH = 6;
export interface EndedBuild {
  readonly state: FinalState;
  readonly steps: readonly StepResult[];
}

/**
 * Explains a build that failed or could not run. The log is read once, in bounded memory, and is masked already.
 * @param log undefined where there is none: then the record alone has to do. @throws whatever its stream fails with.
 */
export async function explain({ state, steps }: EndedBuild, log: Readable | undefined): Promise<Explanation> {
  const failed =
    state.kind === "errored"
      ? steps.find((step) => step.state === "errored")
      : steps.find((step) => step.state === "failed" && step.allowed !== true);
  if (state.kind === "errored" || failed === undefined) {
    const reason = state.kind === "failed" || state.kind === "errored" ? state.reason : state.kind;
    const output = await outputOf(log, undefined, undefined);
    return put({ kind: kindOfReason(reason), step: failed?.name, line: reason, logLine: output.endLine });
  }

  const [test] = failed.tests?.failing ?? [];
  const said = test === undefined ? "" : firstLine(test.message ?? "");
  const output = await outputOf(log, stepLabel(failed), said.length >= NEEDLE_LENGTH ? said : undefined);
  const limit = limitOf(failed);
  if (limit?.isWhole === true) return ofLimit(failed, limit, output);
  const found = test === undefined ? ofOutput(failed, output) : ofTests(failed, test, said, output);
  if (limit === undefined) return found;
  return { ...found, kind: limit.kind, line: shortened(`${limit.words}: ${found.line}`) };
}

async function outputOf(
  log: Readable | undefined,
  label: string | undefined,
  needle: string | undefined,
): Promise<StepOutput> {
  if (log === undefined) return { lines: [], endLine: undefined, needleLine: undefined };
  return readStepOutput(log, label, needle);
}

/** A limit says it all; what was printed last says where it was passed. */
function ofLimit(
  step: StepResult,
  limit: { kind: Explanation["kind"]; words: string },
  output: StepOutput,
): Explanation {
  const excerpt = lastWords(output.lines);
  const last = excerpt.at(-1)?.text.trim();
  const after = limit.kind === "time" && last !== undefined ? `; the last it printed: ${last}` : "";
  return put({
    kind: limit.kind,
    step: step.name,
    line: `${limit.words}${after}`,
    basis: limit.words,
    logLine: output.endLine,
    excerpt: excerpt.map(({ text }) => text),
  });
}

function ofTests(step: StepResult, test: FailingTest, said: string, { lines, needleLine }: StepOutput): Explanation {
  const number = needleLine ?? lineOf(test, said, lines);
  const at = lines.findIndex((each) => each.number === number);
  const message = (test.message ?? "").split("\n").map((text) => plainText(text).trimEnd());
  const excerpt = at === -1 ? message.filter((text) => text !== "").slice(0, EXCERPT_LINES) : around(lines, at, 1, 3);
  const named = filesNamedIn([test.file ?? "", ...message, ...excerpt]);
  // Go names a file without its folder, and the folder as the suite.
  const files = named.map((file) => (file.includes("/") || !test.suite.includes("/") ? file : `${test.suite}/${file}`));
  const name = test.suite === "" ? test.name : `${test.name} (${test.suite})`;
  return put({
    kind: "tests",
    step: step.name,
    line: said === "" ? `${name} failed` : `${name}: ${said}`,
    basis: said,
    logLine: number,
    excerpt,
    files,
    failing: step.tests?.failing ?? [],
  });
}

/** Where a test without a telling message is said to have failed. */
function lineOf(test: FailingTest, said: string, lines: readonly LogLine[]): number | undefined {
  const byMessage = said.length < NEEDLE_LENGTH ? undefined : lines.find(({ text }) => text.includes(said));
  const byName = ({ text }: LogLine): boolean => text.includes(test.name) && /fail|not ok|[✖✘✗×●]/i.test(text);
  return (byMessage ?? lines.find(byName))?.number;
}

function ofOutput(step: StepResult, output: StepOutput): Explanation {
  const { lines } = output;
  const meaning = step.meaning ?? `step ${step.name} failed`;
  // Either its program was content and docker-ci is not (coverage too low), or it never ran: a service was not ready, the builder refused.
  const isOurs = step.exitCode === 0 || step.exitCode === undefined;
  if (isOurs) {
    return put({
      kind: step.kind === "build" ? "build" : "tests",
      step: step.name,
      line: meaning,
      logLine: output.endLine,
    });
  }
  const found = findCause(lines);
  if (found === undefined) return ofLastWords(step, meaning, output);
  const { rule, at, head } = found;
  return put({
    kind: kindOf(found, step),
    step: step.name,
    line: found.text,
    logLine: lines[at]?.number,
    excerpt: around(lines, at, rule.before ?? 0, rule.after ?? 1, head),
    files: filesNamedIn(lines.slice(Math.max(0, Math.min(head, at - 3)), at + FILES_AROUND).map(({ text }) => text)),
  });
}

/** No rule knows these words: the last that are not noise. */
function ofLastWords(step: StepResult, meaning: string, { lines, endLine }: StepOutput): Explanation {
  const excerpt = lastWords(lines);
  const last = excerpt.at(-1);
  return put({
    kind: step.kind === "build" ? "build" : "command",
    step: step.name,
    line: last?.text.trim() ?? meaning,
    logLine: last?.number ?? endLine,
    excerpt: excerpt.map(({ text }) => text),
    files: filesNamedIn(excerpt.map(({ text }) => text)),
  });
}

function kindOf({ rule }: Found, step: StepResult): Explanation["kind"] {
  // The engine would know of it: then it was somebody else's kill.
  if (rule.kind === "memory" && step.meaning?.includes("not for memory") === true) return "command";
  return rule.kind === "command" && step.kind === "build" ? "build" : rule.kind;
}

function firstLine(message: string): string {
  return plainText(message.split("\n").find((text) => text.trim() !== "") ?? "").trim();
}

interface Parts {
  readonly kind: Explanation["kind"];
  readonly step: StepResult["name"] | undefined;
  readonly line: string;
  /** What the signature is made of, where that is not the line. */
  readonly basis?: string;
  readonly logLine: number | undefined;
  readonly excerpt?: readonly string[];
  readonly files?: readonly string[];
  readonly failing?: readonly FailingTest[];
}

function put({ kind, step, line, basis = line, logLine, excerpt = [], files = [], failing = [] }: Parts): Explanation {
  const shown = shortened(plainText(line).replace(/\s+/g, " ").trim());
  return {
    kind,
    ...(step === undefined ? {} : { step }),
    line: shown,
    ...(logLine === undefined ? {} : { logLine }),
    excerpt: excerpt.length === 0 ? [shown] : excerpt.map((text) => shortened(text)),
    files: [...files],
    signature: signatureOf({ kind, step, line: basis }, failing),
  };
}
