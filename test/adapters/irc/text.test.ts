import { describe, expect, test } from "vitest";
import { reconnectDelayMs } from "../../../adapters/irc/backoff.ts";
import { unpinged } from "../../../adapters/irc/index.ts";
import { DEFAULT_TIMING } from "../../../adapters/irc/options.ts";
import { renderLines } from "../../../adapters/irc/render.ts";
import { splitLine } from "../../../adapters/irc/split.ts";
import { clean } from "../../../adapters/irc/text.ts";
import { say } from "../../../src/chat/reply.ts";
import { ci } from "../../support/irc-bot.ts";

describe("foreign text", () => {
  test.each([
    ["plain", "plain"],
    ["größe 🙂 👩‍👩‍👧", "größe 🙂 👩‍👩‍👧"],
    ["a\r\nb\nc\td", "a b c d"],
    ["nul\0bell\x07", "nulbell"],
    [
      "\x02bold\x02 \x1ditalic\x1d \x1funder\x1f \x16rev\x16 \x1estrike\x1e \x11mono\x11 \x0f",
      "bold italic under rev strike mono ",
    ],
    ["\x0304red\x03 \x0304,01on black\x03 \x03", "red on black "],
    ["\x03123", "3"],
    ["\x04ff0000red\x04", "red"],
    ["\x1b[31;1mred\x1b[0m \x1b]0;title\x07x\x1b]8;;https://a\x1b\\y", "red xy"],
    ["\x9b31m c1", "31m c1"],
    ["abc\u202edcba\u2066x\u2069", "abcdcbax"],
    ["one\u2028two\u2029three\u0085four", "one two three four"],
  ])("%j is sent as %j", (text, sent) => {
    expect(clean(text)).toBe(sent);
  });

  test("a nick in a notice does not ring, and looks the same", () => {
    expect(unpinged("ada")).toBe("a\u200dda");
    expect(unpinged("ada").replaceAll("\u200d", "")).toBe("ada");
  });
});

describe("splitting", () => {
  const link = "https://ci.example.org/builds/42";
  test.each([
    ["fits", 20, ["fits"]],
    ["one two three", 8, ["one two", "  three"]],
    ["exactly ten", 11, ["exactly ten"]],
    ["exactly ten.", 11, ["exactly", "  ten."]],
    ["größe größe", 8, ["größe", "  größ", "  e"]],
    ["one · two · three", 9, ["one ·", "  two ·", "  three"]],
    ["one · two · three", 10, ["one · two", "  three"]],
    ["aaaa · bbbb", 6, ["aaaa", "  bbbb"]],
    [`see ${link} now`, 39, [`see ${link}`, "  now"]],
    [`see this: ${link} now`, 40, ["see this:", `  ${link} now`]],
    ["abcdefghij", 6, ["abcdef", "  ghij"]],
    ["🙂🙂🙂🙂", 10, ["🙂🙂", "  🙂🙂"]],
    ["👩‍👩‍👧👩‍👩‍👧", 20, ["👩‍👩‍👧", "  👩‍👩‍👧"]],
    ["    indented", 20, ["    indented"]],
    ["    indented far too long", 16, ["    indented far", "  too long"]],
    ["", 10, [""]],
  ])("%j in %i bytes is %j", (text, limit, pieces) => {
    expect(splitLine(text, limit)).toEqual(pieces);
    for (const piece of pieces) expect(Buffer.byteLength(piece)).toBeLessThanOrEqual(limit);
  });

  test("marks heaped on one letter are cut too, rather than lost", () => {
    const heaped = `e${"\u0301".repeat(300)}`;
    const pieces = splitLine(heaped, 100);
    expect(pieces.map((piece) => piece.trim()).join("")).toBe(heaped);
    for (const piece of pieces) expect(Buffer.byteLength(piece)).toBeLessThanOrEqual(100);
  });
});

// O-72: colours, which are optional
describe("rendering", () => {
  const render = (tone: Parameters<typeof say>[0], facts: readonly string[], colours: boolean): string[] =>
    renderLines({ room: ci, to: undefined, priority: "notice", reply: say(tone, facts, "https://ci/1") }, colours);

  test.each([
    ["passed", "hello #1 passed in 4s", "\x0303✔\x0f hello #1 \x0303passed\x0f in 4s · https://ci/1"],
    ["failed", "hello #1 failed", "\x0304✘\x0f hello #1 \x0304failed\x0f · https://ci/1"],
    ["errored", "hello #1 could not run: no", "\x0307▲\x0f hello #1 \x0307could not run\x0f: no · https://ci/1"],
    ["cancelled", "hello #1 cancelled", "\x0314■\x0f hello #1 \x0314cancelled\x0f · https://ci/1"],
    ["running", "hello #1 step 2", "\x0312●\x0f hello #1 step 2 · https://ci/1"],
    ["queued", "hello #1 queued", "○ hello #1 queued · https://ci/1"],
    ["info", "hello", "hello · https://ci/1"],
  ] as const)("%s in colour", (tone, fact, text) => {
    expect(render(tone, [fact], true)).toEqual([text]);
  });

  test("without colours the sign and the word are left", () => {
    expect(render("failed", ["hello #1 failed", "2 tests"], false)).toEqual([
      "✘ hello #1 failed · 2 tests · https://ci/1",
    ]);
  });
});

describe("the wait before the next connection (O-78)", () => {
  const longest = (outage: Parameters<typeof reconnectDelayMs>[0]): number =>
    reconnectDelayMs(outage, DEFAULT_TIMING, () => 1);
  test.each([
    ["unreachable", 0, 800],
    ["unreachable", 20_000, 800],
    ["unreachable", 300_000, 3_000],
    ["unreachable", 86_400_000, 60_000],
  ] as const)("%s for %i ms is at most %i ms", (failure, lastedMs, ms) => {
    expect(longest({ failure, lastedMs, sentAway: 0 })).toBe(ms);
  });
  test.each([
    [1, 1_000],
    [2, 2_000],
    [5, 16_000],
    [7, 60_000],
    [1_000, 60_000],
  ])("after being sent away %i times it is at most %i ms", (sentAway, ms) => {
    expect(longest({ failure: "sent away", lastedMs: 0, sentAway })).toBe(ms);
  });
  test("a refused login is tried once in 30 to 60 s, and nothing is tried without a pause", () => {
    const refused = { failure: "refused", lastedMs: 0, sentAway: 0 } as const;
    expect(reconnectDelayMs(refused, DEFAULT_TIMING, () => 0)).toBe(30_000);
    expect(longest(refused)).toBe(60_000);
    expect(reconnectDelayMs({ ...refused, failure: "unreachable" }, DEFAULT_TIMING, () => 0)).toBe(50);
  });
});
