/** The few lines of an output that are shown with an explanation. */
import type { LogLine } from "../builds/log-files.ts";

export const EXCERPT_LINES = 5;
const LAST_LINES = 3;
/** Said behind every failure, and never what it is about. */
const NOISE =
  /^(?:\W*|make(?:\[\d+\])?: .*|npm (?:error|ERR!|warn|WARN|notice).*|E: Sub-process .*|(?:Process|Command) (?:completed|exited|failed) with .*|exit (?:status|code).*|FAIL|FAILED|# (?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) .*|.*(?:returned a non-zero code: \d+|did not complete successfully: exit code: \d+))$/;

/** The end of an output, without what is said behind every failure. */
export function lastWords(lines: readonly LogLine[]): LogLine[] {
  const telling = lines.filter(({ text }) => !NOISE.test(text.trim()));
  // Better noise than nothing.
  return (telling.length > 0 ? telling : lines.filter(({ text }) => text !== "")).slice(-LAST_LINES);
}

/** At most five lines, those that are empty left out; what announced the telling line comes first where it stands further up. */
export function around(
  lines: readonly LogLine[],
  at: number,
  before: number,
  after: number,
  head: number = at,
): string[] {
  const from = Math.max(0, at - before);
  const announced = head < from ? [lines[head]] : [];
  return [...announced, ...lines.slice(from, at + after + 1)]
    .flatMap((each) => (each === undefined || each.text.trim() === "" ? [] : [each.text]))
    .slice(0, EXCERPT_LINES);
}
