/** What people type in a chat, and what of it is a command. */
import { describe, expect, test } from "vitest";
import { type ParsedLine, parseLine, restFrom, type Word } from "../../src/chat/grammar.ts";

const IN_CHANNEL = { prefix: "!", botName: "docker-ci", direct: false };
const IN_PRIVATE = { ...IN_CHANNEL, direct: true };

describe("a line in a channel", () => {
  test.each([
    ["!build docker", "build docker"],
    ["  !build docker  ", "build docker"],
    ["!BUILD Docker", "build Docker"],
    ["!status", "status"],
    ["!status?", "status"],
    ["!ok-to-test PR#12", "ok-to-test PR#12"],
    ["docker-ci: build docker", "build docker"],
    ["docker-ci, build docker", "build docker"],
    ["Docker-CI: build docker", "build docker"],
    ["docker-ci: !build docker", "build docker"],
    ["docker-ci:!build docker", "build docker"],
    ["docker-ci:   build docker", "build docker"],
    ["@docker-ci build docker", "build docker"],
    ["@docker-ci: build docker", "build docker"],
    ["@docker-ci !build docker", "build docker"],
    ["\u200b!build docker", "build docker"],
    ["!build\u00a0docker", "build docker"],
    ["!bu\u200bild docker", "build docker"],
    ["!build dock\u200ber", "build docker"],
    ["docker-ci:", "help"],
    ["@docker-ci", "help"],
    ["!build docker\nand thanks", "build docker"],
    ["!build docker\r\n", "build docker"],
  ])("%j asks for %j", (line, expected) => {
    expect(summary(parseLine(line, IN_CHANNEL))).toBe(expected);
  });

  test.each([
    [""],
    ["hello"],
    ["build docker"],
    ["!"],
    ["!!!"],
    ["!?"],
    ["!1"],
    ["! build docker"],
    ["!!build docker"],
    ["!=="],
    ["!foo.bar()"],
    ["so I said !build docker"],
    ["<ada> !build docker"],
    ["> !build docker"],
    [">!build docker"],
    ["```\n!build docker\n```"],
    ["```!build docker```"],
    ["`!build docker`"],
    ["look:\n!build docker"],
    ["docker-ci"],
    ["docker-ci is down"],
    ["docker-ci build docker"],
    ["docker-ci:latest is broken"],
    ["docker-ci:8000 does not answer"],
    ["docker-ci-stage: build docker"],
    ["@docker-cibuild docker"],
    ["ada: docker-ci: build docker"],
    ["docker-ci: :)"],
  ])("%j is only talk", (line) => {
    expect(parseLine(line, IN_CHANNEL)).toEqual({ kind: "none" });
  });
});

// Buildbot's bot answered what ended in its name (O-76).
describe("what somebody does", () => {
  const acted = (text: string, direct = false) => parseLine(text, { ...IN_CHANNEL, direct, action: true });
  test.each(["pokes docker-ci", "hugs @Docker-CI.", "gives a cookie to docker-ci :)", " waves at docker-ci!"])(
    "%j greets the bot",
    (text) => {
      expect(acted(text)).toMatchObject({ kind: "command", name: "hello" });
    },
  );
  test.each([
    "waves",
    "docker-ci",
    "wonders whether docker-ci is down",
    "builds docker-ci-stage",
    "!build docker",
    "docker-ci: build docker",
    "",
  ])("%j is only told, in a channel and in private", (text) => {
    expect([acted(text), acted(text, true)]).toEqual([{ kind: "none" }, { kind: "none" }]);
  });
  test("what is said and not done is no greeting", () => {
    expect(parseLine("pokes docker-ci", IN_CHANNEL)).toEqual({ kind: "none" });
  });
});

describe("a line in private", () => {
  test.each([
    ["build docker", "build docker"],
    ["!build docker", "build docker"],
    ["docker-ci: build docker", "build docker"],
    ["Status", "status"],
    ["thanks!", "thanks"],
    ["v1.2 when?", "v1.2 when?"],
  ])("%j asks for %j", (line, expected) => {
    expect(summary(parseLine(line, IN_PRIVATE))).toBe(expected);
  });

  test.each([[""], ["  "], [":)"], ["> build docker"], ["```\nbuild\n```"], ["!"], ["?"]])(
    "%j is only talk",
    (line) => {
      expect(parseLine(line, IN_PRIVATE)).toEqual({ kind: "none" });
    },
  );
});

test.each([["?"], [".."], ["ci!"]])("the prefix can be another one: %j", (prefix) => {
  expect(summary(parseLine(`${prefix}build docker`, { ...IN_CHANNEL, prefix }))).toBe("build docker");
  expect(parseLine("!build docker", { ...IN_CHANNEL, prefix })).toEqual({ kind: "none" });
});

describe("words", () => {
  test.each<[string, Partial<Word>[]]>([
    ["a 'b c' d", [text("a"), text("b c"), text("d")]],
    ['"b c" "it\'s"', [text("b c"), text("it's")]],
    ['"say \\"hi\\" \\d"', [text('say "hi" \\d')]],
    ["b\\ c", [text("b c")]],
    ["''", [text("")]],
    ["'it'\\''s'", [text("it's")]],
    ["'it'\"'\"'s'", [text("it's")]],
    ["don't need it", [text("don't"), text("need"), text("it")]],
    ["don’t", [text("don't")]],
    ['5" disk', [text('5"'), text("disk")]],
    ["“out of memory”", [text("out of memory")]],
    ["„out of memory“", [text("out of memory")]],
    ["‘don’t stop’ now", [text("don't stop"), text("now")]],
    ["--no-cache", [{ kind: "flag", name: "no-cache", value: undefined }]],
    ["--Lines=20", [{ kind: "flag", name: "lines", value: "20" }]],
    ["--reason='too slow'", [{ kind: "flag", name: "reason", value: "too slow" }]],
    ["—no-cache", [{ kind: "flag", name: "no-cache", text: "--no-cache" }]],
    ["–-no-cache", [{ kind: "flag", name: "no-cache" }]],
    ["– because", [text("–"), text("because")]],
    ["a—b", [text("a—b")]],
    ["'--no-cache'", [text("--no-cache")]],
    ["--no\\ cache", [text("--no cache")]],
    ["--", [text("--")]],
    ["-v", [text("-v")]],
    ["NODE=22", [{ kind: "pair", key: "NODE", value: "22" }]],
    ['NODE="22 or so"', [{ kind: "pair", key: "NODE", value: "22 or so" }]],
    ["NODE=“22 or so”", [{ kind: "pair", key: "NODE", value: "22 or so" }]],
    ["NODE=", [{ kind: "pair", key: "NODE", value: "" }]],
    ["NODE=a=b", [{ kind: "pair", key: "NODE", value: "a=b" }]],
    ["'NODE=22'", [text("NODE=22")]],
    ["https://ci.example.org/?a=b", [text("https://ci.example.org/?a=b")]],
    ["43 /out of memory/", [text("43"), { kind: "pattern", source: "out of memory", ignoreCase: false }]],
    ["/panic/i", [{ kind: "pattern", source: "panic", ignoreCase: true }]],
    ["/a\\/b \\d+/", [{ kind: "pattern", source: "a/b \\d+" }]],
    ['/it\'s "here"/ 5', [{ kind: "pattern", source: 'it\'s "here"' }, text("5")]],
    ["/srv/git/hello", [text("/srv/git/hello")]],
    ["/srv/git/ hello/", [text("/srv/git/"), text("hello/")]],
    ["'/panic/'", [text("/panic/")]],
    ["\\'tis", [text("'tis")]],
    ["a\\", [text("a\\")]],
    ["PR#12 #3", [text("PR#12"), text("#3")]],
  ])("%s", (typed, expected) => {
    const parsed = parseLine(`!x ${typed}`, IN_CHANNEL);
    expect(parsed).toMatchObject({ kind: "command", words: expected });
    expect(parsed.kind === "command" ? parsed.words.length : 0).toBe(expected.length);
  });

  test("a quote that is never closed is told, with the way out", () => {
    expect(parseLine("!cancel 42 'tis broken", IN_CHANNEL)).toEqual({
      kind: "malformed",
      name: "cancel",
      message: "The quote that opens at 'tis broken is not closed; write \\' for a plain one.",
    });
    expect(parseLine('docker-ci: log 43 "out of', IN_CHANNEL).kind).toBe("malformed");
    expect(parseLine('he said "build', IN_CHANNEL).kind).toBe("none");
  });
});

test.each([
  ["!cancel 42 don't need it", "don't need it"],
  ["!cancel 42   it is  --slow  a=b ", "it is  --slow  a=b"],
  ["!cancel 42 'too slow'", "too slow"],
  ["!cancel 42", ""],
  ["!cancel 42 too slow\nsecond line", "too slow"],
])("the rest of %j is %j", (line, expected) => {
  const parsed = parseLine(line, IN_CHANNEL);
  expect(parsed.kind === "command" && restFrom(parsed, 1)).toBe(expected);
});

function text(value: string): Partial<Word> {
  return { kind: "text", text: value };
}

/** A command's name and words, by which a table stays readable. */
function summary(parsed: ParsedLine): string {
  return parsed.kind === "command" ? [parsed.name, ...parsed.words.map((word) => word.text)].join(" ") : parsed.kind;
}
