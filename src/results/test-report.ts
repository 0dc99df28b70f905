/** Test reports of any kind that docker-ci reads, told apart by what is in them. */
import type { Readable } from "node:stream";
import { BrokenReport } from "./broken-report.ts";
import { readGoTestJson } from "./go-test-json.ts";
import { readJUnit } from "./junit.ts";
import { reportText, type TextPiece } from "./report-text.ts";
import type { TestCase } from "./test-case.ts";

/**
 * The tests of a report, some at a time and in its order, in bounded memory. JUnit XML, or what `go test -json` writes.
 * @throws BrokenReport for what is no report or is cut off, after the tests before it; otherwise what the source throws.
 */
export async function* readTestReport(source: Readable): AsyncGenerator<readonly TestCase[], void, undefined> {
  const pieces = reportText(source);
  let blank: TextPiece = { text: "", linesBefore: 0 };
  for await (const piece of pieces) {
    const first = /\S/.exec(piece.text)?.[0];
    if (first === undefined) {
      blank = { text: "", linesBefore: piece.linesBefore };
      continue;
    }
    const whole = withFirst(piece, pieces);
    yield* first === "<" ? readJUnit(whole) : readGoTestJson(whole);
    return;
  }
  throw new BrokenReport(blank.linesBefore === 0 ? "is empty" : "has only empty lines");
}

async function* withFirst(
  first: TextPiece,
  others: AsyncIterable<TextPiece>,
): AsyncGenerator<TextPiece, void, undefined> {
  yield first;
  yield* others;
}
