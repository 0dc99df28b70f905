/** Which line of a Go test's output says why it failed: `api_test.go:512: expected 201, got 500`. */

const LOCATED = /^\s*(?<place>[^\s:]{1,200}\.go:\d{1,7}(?::\d{1,5})?): ?(?<said>.*)$/;
/** A log line stands in the same form as a failure; these words stand in failures. */
const TELLING = /expect|want|\bgot\b|error|fail|unexpected|mismatch|missing|invalid|not |no such|panic|should|!=|nil/i;
/** A part of testify's block: `	Error:      	Not equal: `. */
const TESTIFY = /^\s+(?<key>Error Trace|Error|Test|Messages):\s*(?<said>.*)$/;
/** What of testify's block a headline has room for. */
const TESTIFY_LINES = 3;

/** Undefined where there is none of Go's. */
export function goHeadline(lines: readonly string[]): string | undefined {
  const panic = lines.find((line) => /^\s*(?:panic|fatal error): /.test(line));
  if (panic !== undefined) return panic.trim().replace(/ \[recovered\].*$/, "");
  const example = ofExample(lines);
  if (example !== undefined) return example;
  const located = lines.flatMap((line, index) => {
    const { place, said = "" } = LOCATED.exec(line)?.groups ?? {};
    if (place === undefined) return [];
    return [{ place, said: said.trim() === "" ? testify(lines.slice(index + 1)) : said.trim() }];
  });
  const telling = located.find(({ said }) => TELLING.test(said)) ?? located.at(-1);
  if (telling === undefined) return undefined;
  return telling.said === "" ? telling.place : `${telling.place}: ${telling.said}`;
}

/** `got: hallo, want: hello` of an example whose output differs, which Go writes on lines of their own. */
function ofExample(lines: readonly string[]): string | undefined {
  const [got, want] = [lines.indexOf("got:"), lines.indexOf("want:")];
  if (got === -1 || want < got) return undefined;
  return `got: ${lines[got + 1]?.trim() ?? ""}, want: ${lines[want + 1]?.trim() ?? ""}`;
}

/** Whether a line may become the headline, so that it is kept however much else a test prints. */
export function isGoTelling(line: string): boolean {
  return LOCATED.test(line.trimEnd()) || /^\s*(?:panic|fatal error): /.test(line);
}

/** `Not equal: expected: 1 actual  : 2` of the block that follows. */
function testify(following: readonly string[]): string {
  const start = following.findIndex((line) => TESTIFY.exec(line)?.groups?.key === "Error");
  if (start === -1) return following[0]?.trim() ?? "";
  const block = following.slice(start);
  const end = block.findIndex((line, index) => index > 0 && TESTIFY.test(line));
  return block
    .slice(0, end === -1 ? TESTIFY_LINES : Math.min(end, TESTIFY_LINES))
    .map((line) => (TESTIFY.exec(line)?.groups?.said ?? line).trim())
    .filter((text) => text !== "")
    .join(" ");
}
