/** Whatever is typed behind a command, the answer is a short sentence of the command's own: nothing falls through to the machinery. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { commands } from "../../commands/index.ts";
import { ago, CONFIG, configOf, openRecords } from "../support/records.ts";
import { openTalk } from "../support/talk.ts";

const TEAM = `${CONFIG}
irc: [{ name: fake, host: localhost, channels: ["#dev"] }]
people:
  ada: { irc: fake/ada, roles: [developer, approver, admin] }
`;
const RUNS = 40;
/** Of an answer to one line; the verbatim lines of a log are counted for themselves. */
const LINES_MAX = 5;
const LINE_LENGTH_MAX = 900;

/** Words that commands take, and others that look like them or mean something to JavaScript, a shell or a chat. */
const word = fc.oneof(
  fc.constantFrom(
    ..."hello docker dokcer HELLO all 1 #1 2 999 0 -1 1.5 1e3 0x10 99999999999999999999 R1 r0 PR#12 PR#0 main a..b".split(
      " ",
    ),
    ..."2h 0s 9999d 1.0.0 v1 2026-13-45 failed slow week prune on off list every broken,fixed broken,nope ,".split(" "),
    ..."constructor toString __proto__ hasOwnProperty null __proto__=1 constructor=1 A=1 a= =a".split(" "),
    ..."--keep --force --branch=x --props=__proto__=1 --props=x --help -h -- /(/ /(a+)+$/ /a/i // / \\ ada bob big-1".split(
      " ",
    ),
    ..."<!channel> <@U0ADA> @docker-ci !build fake/ada nowhere/x libera/ K7QF-2M9X 漢字 \u202eevil \ud800 \u200b".split(
      " ",
    ),
    '""',
    "'a b'",
    '"un',
    "\u0002\u000304red\u0003",
    "\u0001VERSION\u0001",
    "\u0000",
    "x".repeat(1_000),
    "漢".repeat(700),
  ),
  fc.string({ unit: "binary", maxLength: 12 }),
);
const line = fc.array(word, { maxLength: 5 }).map((words) => words.join(" "));

describe.each(commands.map(({ name }) => name))("!%s", (name) => {
  test("answers anything", async () => {
    await using records = await openRecords(configOf(TEAM));
    const failed = { kind: "failed", startedAt: ago(60), finishedAt: ago(0), reason: "step tests, exit 1" } as const;
    await records.end(await records.begin(await records.create("hello")), failed);
    await records.begin(await records.create("docker"));
    const talk = openTalk(records);
    await fc.assert(
      fc.asyncProperty(line, async (words) => {
        const answer = await talk.ask(`!${name} ${words}`, { account: "ada" });
        const said = answer.join("\n");
        expect(said).not.toMatch(/on my side|Invalid|Too (?:big|small)|expected|\[object|function|native code/);
        expect(answer.length).toBeLessThanOrEqual(LINES_MAX);
        for (const text of answer) expect(text.length).toBeLessThanOrEqual(LINE_LENGTH_MAX);
      }),
      { numRuns: RUNS },
    );
  });
});
