/** Words for a shell come out of it as they went in. */
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { shellQuote } from "../../src/builds/shell-quote.ts";

/** The words as a program sees them. */
function argv(words: readonly string[]): string[] {
  const script = `exec printf '%s\\0' ${words.map(shellQuote).join(" ")}`;
  return execFileSync("/bin/sh", ["-c", script]).toString("utf8").split("\0").slice(0, -1);
}

test.each([
  ["", "''"],
  ["docker-registry", "docker-registry"],
  ["npm test", "'npm test'"],
  ["it's", "'it'\\''s'"],
  ["$HOME `id` $(id) !x \\", "'$HOME `id` $(id) !x \\'"],
  ["-e", "'-e'"],
  ["~root", "'~root'"],
  ["=ls", "'=ls'"],
  ["A=b c", "'A=b c'"],
  ["a\nb", "'a\nb'"],
  ["a\tb", `'a'"$(printf '\\011')"'b'`],
  ["\u001b[31m", `"$(printf '\\033')"'[31m'`],
  ["user\u202Etxt", `'user'"$(printf '\\342\\200\\256')"'txt'`],
])("%j is written %s", (text, written) => {
  expect(shellQuote(text)).toBe(written);
  expect(argv([text])).toEqual([text]);
});

test("any text at all", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.string({
      unit: fc.constantFrom("'", '"', "\\", "$", "`", "\n", "\r", "\t", " ", "!", "-", "a", "*", "\u0085"),
      maxLength: 12,
    }),
  );
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 20 }), (words) => {
      const told = words.map((word) => word.replaceAll("\0", ""));
      expect(argv(words)).toEqual(told);
      for (const word of words) expect(shellQuote(word)).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
    }),
    { numRuns: 150 },
  );
});
