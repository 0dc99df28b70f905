/** A test's name as a chat shows it: it comes from outside, and may be of any length. */
import { plainText } from "../builds/plain-text.ts";
import { type TestName, testLabel } from "../results/test-case.ts";

const LENGTH = 80;

export function shownTest(test: TestName): string {
  return shownName(testLabel(test));
}

/** One line, cut in its middle, since names differ at their ends. */
export function shownName(label: string): string {
  const characters = [...plainText(label.replaceAll(/\s+/g, " "))];
  if (characters.length <= LENGTH) return characters.join("");
  const half = Math.floor((LENGTH - 1) / 2);
  return `${characters.slice(0, half).join("")}…${characters.slice(-half).join("")}`;
}
