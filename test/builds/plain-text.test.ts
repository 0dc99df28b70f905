/** What a program wrote for a terminal, as a chat, a page and a mail show it. */
import { expect, test } from "vitest";
import { plainText } from "../../src/builds/plain-text.ts";

test.each([
  ["colours", "\u001b[1;31mred\u001b[0m and \u001b[38:5:4mblue", "red and blue"],
  ["a progress bar keeps its last state", "10%\r50%\r100%", "100%"],
  ["a line that ended with CR LF", "done\r", "done"],
  ["a title and a link", "\u001b]0;title\u0007\u001b]8;;http://x\u001b\\text\u001b]8;;\u001b\\", "text"],
  ["tabs and bells", "a\tb\u0007", "a    b"],
  ["what is no sequence", "[31m stays", "[31m stays"],
])("%s", (_name, line, text) => {
  expect(plainText(line)).toBe(text);
});
