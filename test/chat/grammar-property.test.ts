/** What holds for every line and every word. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseLine } from "../../src/chat/grammar.ts";

const context = fc.record({
  prefix: fc.constantFrom("!", "?", "ci:"),
  botName: fc.constantFrom("docker-ci", "Bot[1]", ""),
  direct: fc.boolean(),
});

/** Any text, with what the grammar looks for more often than chance would have it. */
const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(
        "!build ",
        "docker-ci: ",
        "@docker-ci ",
        "'",
        '"',
        "\\",
        "“",
        "”",
        "‘",
        "’",
        "—",
        "--",
        "=",
        "/",
        " ",
        "\n",
        "\u200b",
        "\u00a0",
        "```",
        "> ",
      ),
    ),
  )
  .map((parts) => parts.join(""));

const single = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;
const double = (word: string) => `"${word.replaceAll(/["\\$`]/g, "\\$&")}"`;
const escaped = (word: string) =>
  word === "" || /[\r\n]/.test(word) ? single(word) : word.replaceAll(/[^A-Za-z0-9]/gu, "\\$&");
/** As Python's shlex.quote: bare where that is safe. */
const whereNeeded = (word: string) => (/^[\w@%+=:,.-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\"'\"'")}'`);

test("words quoted as a shell would have them come back as they were", () => {
  const quoting = fc.constantFrom(single, double, escaped, whereNeeded);
  fc.assert(
    fc.property(fc.array(fc.tuple(anyText, quoting)), (words) => {
      const line = `!x ${words.map(([word, quote]) => quote(word)).join(" ")}`;
      const parsed = parseLine(line, { prefix: "!", botName: "docker-ci", direct: false });
      expect(parsed).toMatchObject({ kind: "command", name: "x" });
      if (parsed.kind === "command") expect(parsed.words.map(({ text }) => text)).toEqual(words.map(([word]) => word));
    }),
    { numRuns: 2000 },
  );
});

test("no line makes the parser throw, and what it takes for a command has a name", () => {
  fc.assert(
    fc.property(anyText, context, (line, where) => {
      const parsed = parseLine(line, where);
      if (parsed.kind === "command") expect(parsed.name).toMatch(/^\p{L}/u);
    }),
    { numRuns: 5000 },
  );
});

test("a word's place in the line is where it was typed", () => {
  fc.assert(
    fc.property(
      fc.array(fc.stringMatching(/^[a-z0-9.]{1,10}$/)),
      fc.constantFrom(" ", "  ", "\t", "\u00a0"),
      (words, gap) => {
        const parsed = parseLine(`!x ${words.join(gap)}`, { prefix: "!", botName: "docker-ci", direct: false });
        if (parsed.kind !== "command") throw new Error("not a command");
        expect(parsed.words.map(({ text, start }) => parsed.rest.slice(start, start + text.length))).toEqual(words);
      },
    ),
  );
});

test("a line of a hundred thousand characters is read at once", () => {
  for (const line of [
    `!x ${"'a".repeat(50_000)}`,
    `!x ${"/a ".repeat(33_000)}`,
    `!x ${"‘a ".repeat(33_000)}`,
    `!x ${"\\".repeat(100_000)}`,
  ]) {
    const started = performance.now();
    parseLine(line, { prefix: "!", botName: "docker-ci", direct: false });
    expect(performance.now() - started).toBeLessThan(1000);
  }
});
