/** What a process before this one was stopped over: done once, or said not to be. */
import { expect, test } from "vitest";
import { z } from "zod";
import { type Command, defineCommand } from "../../src/chat/command.ts";
import type { ChatMessage } from "../../src/chat/message.ts";
import { say } from "../../src/chat/reply.ts";
import { NetworkName } from "../../src/names.ts";
import { CONFIG, configOf, NOW, openRecords } from "../support/records.ts";
import { openTalk } from "../support/talk.ts";

const team = () => openRecords(configOf(`${CONFIG}default_roles: [developer]\n`));
const network = NetworkName.parse("fake");

function said(text: string, minutesAgo?: number): ChatMessage {
  return {
    id: text,
    room: { network, kind: "channel", name: "#dev" },
    speaker: { network, displayName: "ada", account: "ada", trusted: false },
    text,
    botName: "docker-ci",
    ...(minutesAgo === undefined ? {} : { leftOver: new Date(NOW.getTime() - minutesAgo * 60_000) }),
  };
}

/** `!do`, which counts. */
function counting(repeatable: boolean): { readonly command: Command; times: number } {
  const counted = {
    times: 0,
    command: defineCommand({
      name: "do",
      summary: "Does it.",
      examples: ["!do"],
      changes: true,
      repeatable,
      args: z.strictObject({}),
      run: () => {
        counted.times += 1;
        return say("info", ["done"]);
      },
    }),
  };
  return counted;
}

test("a build that was asked for is one build, however often a kill cuts its answer short", async () => {
  await using records = await team();
  const talk = openTalk(records);
  for (const minutesAgo of [undefined, 1, 2]) await talk.dispatcher.handle(said("!build hello", minutesAgo), talk.chat);
  await talk.dispatcher.handle(said("!rebuild 1"), talk.chat);
  await talk.dispatcher.handle(said("!rebuild 1", 1), talk.chat);
  expect(await records.store.latest(10)).toMatchObject([{ number: 2, rebuildOf: 1 }, { number: 1 }]);
  expect(talk.chat.lines().filter((line) => /hello #1 queued/.test(line))).toHaveLength(3);
  expect(talk.chat.lines().filter((line) => /hello #2 queued/.test(line))).toHaveLength(2);
});

test("a number that was reserved and got no record is the request's", async () => {
  await using records = await team();
  const talk = openTalk(records);
  await records.redis.commands.set("docker-ci:builds:asked:fake:!build hello", "1");
  await records.redis.commands.set("docker-ci:builds:next", "1");
  await talk.dispatcher.handle(said("!build hello", 1), talk.chat);
  expect(await records.store.latest(10)).toMatchObject([{ number: 1 }]);
});

test("what was not begun is done, unless it was asked for too long ago", async () => {
  await using records = await team();
  const counted = counting(false);
  const talk = openTalk(records, { commands: [counted.command] });
  await talk.dispatcher.handle(said("!do", 16), talk.chat);
  expect([counted.times, talk.chat.lines()]).toEqual([
    0,
    ["ada: docker-ci was stopped before your !do of 16m ago and did not run it. Say it again if you still want it."],
  ]);
  await talk.dispatcher.handle(said("!do", 14), talk.chat);
  expect(counted.times).toBe(1);
});

test.each([
  ["repeatable, minutes ago", true, 2, 2],
  ["repeatable, long ago", true, 40, 1],
  ["not repeatable", false, 2, 1],
])("what was begun and is %s", async (_what, repeatable, minutesAgo, times) => {
  await using records = await team();
  const counted = counting(repeatable);
  const talk = openTalk(records, { commands: [counted.command] });
  await talk.dispatcher.handle(said("!do"), talk.chat);
  // Slack delivers it again: nobody hears of it.
  expect(await talk.dispatcher.handle(said("!do"), talk.chat)).toBe("ignored");
  await talk.dispatcher.handle(said("!do", minutesAgo), talk.chat);
  expect(counted.times).toBe(times);
  expect(talk.chat.lines().at(-1)).toMatch(
    times === 2 ? /^ada: done$/ : /^ada: docker-ci was stopped in the middle of your !do of \d+m ago. Look whether/,
  );
});

test("talk that was left over is not answered", async () => {
  await using records = await team();
  const talk = openTalk(records);
  expect(await talk.dispatcher.handle(said("good morning", 40), talk.chat)).toBe("ignored");
});
