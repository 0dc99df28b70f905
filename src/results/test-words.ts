/** Tests in words, as the result lines of chats, mails and pages have them. */
import { formatCount } from "../units.ts";
import type { TestComparison, TestSummary } from "./summary.ts";
import { testLabel } from "./test-case.ts";

/** More names than this nobody reads in a line of chat. */
const NAMES_SHOWN = 3;
const NAME_LENGTH = 60;
/** A mail, where there is room, names so many. */
const MAIL_TESTS = 20;
const MESSAGE_LINES = 3;

/** `1,204 tests`, or `2 of 1,204 tests: TestBlobUpload, TestCatalog` where some failed. */
export function testWords({ total, failed, failing }: TestSummary): string {
  const tests = `${formatCount(total)} ${total === 1 ? "test" : "tests"}`;
  if (failed === 0) return tests;
  return `${formatCount(failed)} of ${tests}: ${listedNames(failing, failed)}`;
}

/** `1 flaky: TestBlobUpload`; "" where none was. */
export function flakyWords({ flaky }: TestSummary): string {
  return flaky.length === 0 ? "" : `${flaky.length} flaky: ${listedNames(flaky, flaky.length)}`;
}

/** `1 newly failing, 2 fixed`, or `no change`. */
export function comparisonWords({ newlyFailing, fixed, stillFailing, added, gone }: TestComparison): string {
  const counts: readonly (readonly [number, string])[] = [
    [newlyFailing, "newly failing"],
    [stillFailing, "still failing"],
    [fixed, "fixed"],
    [added, "new"],
    [gone, "gone"],
  ];
  const said = counts.filter(([count]) => count > 0).map(([count, word]) => `${formatCount(count)} ${word}`);
  return said.length === 0 ? "no change" : said.join(", ");
}

/** The failing tests for a mail: each with the first lines of what its tool said. */
export function failingLines({ failing, failed }: TestSummary): string[] {
  const shown = failing.slice(0, MAIL_TESTS);
  const lines = shown.flatMap((test) => [
    `✘ ${testLabel(test)}`,
    ...(test.message ?? "")
      .split("\n")
      .filter((text) => text.trim() !== "")
      .slice(0, MESSAGE_LINES)
      .map((text) => `    ${text.trimEnd()}`),
  ]);
  const left = failed - shown.length;
  return left > 0 ? [...lines, `… and ${formatCount(left)} more`] : lines;
}

function listedNames(tests: readonly { readonly name: string }[], count: number): string {
  const shown = tests.slice(0, NAMES_SHOWN).map(({ name }) => cut(name.replace(/\s+/g, " ").trim()));
  const left = count - shown.length;
  return `${shown.join(", ")}${left > 0 ? ` and ${formatCount(left)} more` : ""}`;
}

function cut(name: string): string {
  const characters = [...name];
  return characters.length <= NAME_LENGTH ? name : `${characters.slice(0, NAME_LENGTH - 1).join("")}…`;
}
