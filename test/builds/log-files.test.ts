/** Reading logs: the last lines, and those that a pattern finds. */
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { lastLines } from "../../src/builds/log-files.ts";

const LOG = "one\ntwo panic\n\nfour\r\nFive Panic\nsix";

describe("the last lines", () => {
  test.each([
    ["the last of all", LOG, 2, undefined, ["5 Five Panic", "6 six"]],
    ["all, when there are fewer", "a\nb\n", 5, undefined, ["1 a", "2 b"]],
    ["an empty line is a line", LOG, 4, undefined, ["3 ", "4 four", "5 Five Panic", "6 six"]],
    ["an empty log has none", "", 5, undefined, []],
    ["those with a pattern, with their own numbers", LOG, 5, /panic/, ["2 two panic"]],
    ["without regard to case", LOG, 5, /panic/i, ["2 two panic", "5 Five Panic"]],
    ["the last that match", LOG, 1, /panic/i, ["5 Five Panic"]],
    ["none", LOG, 5, /nowhere/, []],
    ["a progress bar is one line, as an editor counts", "1%\r2%\r3%\ndone\n", 5, undefined, ["1 1%\r2%\r3%", "2 done"]],
  ])("%s", async (_name, log, count, pattern, expected) => {
    for (const size of [1, 3, 1_000]) {
      const chunks =
        Buffer.from(log)
          .toString("latin1")
          .match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
      const stream = Readable.from(chunks.map((chunk) => Buffer.from(chunk, "latin1")));
      const lines = await lastLines(stream, count, pattern);
      expect(lines.map(({ number, text }) => `${number} ${text}`)).toEqual(expected);
    }
  });

  test("characters that are cut by a chunk's end are read whole", async () => {
    const bytes = Buffer.from("✔ passed\n✘ failed 😀\n");
    const lines = await lastLines(Readable.from([...bytes].map((byte) => Buffer.of(byte))), 5, /😀/u);
    expect(lines).toEqual([{ number: 2, text: "✘ failed 😀" }]);
  });

  test("a log without newlines is cut, not gathered in memory", async () => {
    const chunk = Buffer.alloc(64 * 1024, "x");
    const endless = Readable.from(
      (function* () {
        for (let count = 0; count < 2_000; count += 1) yield chunk;
        yield Buffer.from("\nend\n");
      })(),
    );
    const [long, end] = await lastLines(endless, 2);
    expect([long?.number, long?.text.length, end]).toEqual([1, 16 * 1024, { number: 2, text: "end" }]);
  });

  test("a pattern that would take for ever is given up, with a sentence for the one who typed it", async () => {
    const log = Readable.from([Buffer.from(`${"a".repeat(60)}!\n`)]);
    const before = Date.now();
    await expect(lastLines(log, 5, /^(a+)+$/)).rejects.toThrow(
      "/^(a+)+$/ takes too long to look for; try a simpler pattern.",
    );
    expect(Date.now() - before).toBeLessThan(3_000);
  });
});
