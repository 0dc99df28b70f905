import { pino } from "pino";
import { expect, test } from "vitest";
import { createSlackJournal, type SlackJournal } from "../../../adapters/slack/index.ts";
import type { ChatMessage } from "../../../src/chat/message.ts";
import { deferred } from "../../../src/lifecycle.ts";
import { openRedis } from "../../support/redis.ts";
import { dev, journalInMemory, network, startSlackBot } from "../../support/slack-bot.ts";
import { type Slack, startSlack } from "../../support/slack-server.ts";
import { waitFor } from "../../support/wait-for.ts";

const log = pino({ level: "silent" });
const heardAs = (id: string, text = "!build hello") => ({ ids: [id] as [string], room: dev, user: "U1", text });

function unacknowledged({ sockets }: Slack): number {
  return [...sockets.envelopes.values()].filter(({ ackedAt }) => ackedAt === undefined).length;
}

/** A journal that takes its time until it is told to go on, or to fail. */
function slowJournal(): SlackJournal & { go(): void; fail(): void } {
  const gate = deferred<"go" | "fail">();
  const kept = journalInMemory();
  return {
    ...kept,
    async write(heard, responseUrl) {
      if ((await gate.promise) === "fail") throw new Error("Redis is away");
      return kept.write(heard, responseUrl);
    },
    go: () => gate.resolve("go"),
    fail: () => gate.resolve("fail"),
  };
}

test("what may be a command is acknowledged after it was written down, and what only is talk at once", async () => {
  await using slack = await startSlack();
  const journal = slowJournal();
  await using bot = startSlackBot(slack, { deps: { journal } });
  await bot.connected();
  slack.say("U1", "C1", "good morning");
  await waitFor("the talk to be acknowledged", () => unacknowledged(slack) === 0, { everyMs: 1 });
  slack.say("U1", "C1", "!build hello");
  slack.mention("U1", "C1", "build hello");
  slack.slash("U1", "C1", "build hello");
  slack.say("U1", "D1", "build hello");
  slack.say("U2", "C1", "and this is talk");
  await waitFor("the talk to be acknowledged", () => unacknowledged(slack) === 5, { everyMs: 1 });
  journal.go();
  await waitFor("all to be acknowledged", () => unacknowledged(slack) === 0, { everyMs: 1 });
});

test("without Redis it is acknowledged when it was handled, however often it came meanwhile", async () => {
  await using slack = await startSlack();
  const journal = slowJournal();
  journal.fail();
  await using bot = startSlackBot(slack, { deps: { journal } });
  const handled = deferred<void>();
  bot.chat.onMessage(() => handled.promise);
  await bot.connected();
  slack.say("U1", "C1", "!build hello", { times: 3 });
  await bot.hear();
  slack.say("U1", "C1", "good morning");
  await waitFor("the talk to be acknowledged", () => unacknowledged(slack) === 3, { everyMs: 1 });
  handled.resolve();
  await waitFor("the command to be acknowledged", () => unacknowledged(slack) === 0, { everyMs: 1 });
  expect(bot.heard.map(({ text }) => text)).toEqual(["!build hello", "good morning"]);
});

test("a message is crossed off when it was handled to its end, and not when the chat was stopped first", async () => {
  await using slack = await startSlack();
  const journal = journalInMemory();
  const bot = startSlackBot(slack, { deps: { journal } });
  const slow = deferred<void>();
  bot.chat.onMessage(({ text }) => (text === "!slow" ? slow.promise : undefined));
  await bot.connected();
  const first = slack.say("U1", "C1", "!quick");
  const ts = slack.say("U1", "C1", "!slow");
  await waitFor("both to be heard", () => bot.heard.length === 2, { everyMs: 1 });
  await waitFor("the first to be crossed off", () => !journal.written.has(`said:C1:${first}`), { everyMs: 1 });
  await bot[Symbol.asyncDispose]();
  slow.resolve();
  await slow.promise;
  expect([...journal.written]).toEqual([`said:C1:${ts}`]);
});

test("what was left over comes first and in its order, says since when, and is not heard again from Slack", async () => {
  await using slack = await startSlack();
  await using server = await openRedis();
  const redis = server.redis.commands;
  const before = createSlackJournal(redis, network, log);
  for (let count = 0; count < 20; count += 1)
    await before.write(heardAs(`said:C1:1.${count}`, `!left ${count}`), undefined);
  slack.say("U2", "C1", "!new");
  slack.say("U1", "C1", "!left 0", { event: { ts: "1.0" } });
  await using bot = startSlackBot(slack, { deps: { journal: createSlackJournal(redis, network, log) } });
  await waitFor("the new one", () => bot.heard.some(({ text }) => text === "!new"));
  const left = (message: ChatMessage | undefined): boolean => message?.leftOver !== undefined;
  expect(bot.heard.map(({ text }) => text)).toEqual([
    ...Array.from({ length: 20 }, (_, count) => `!left ${count}`),
    "!new",
  ]);
  expect([bot.heard.slice(0, 20).every(left), left(bot.heard[20])]).toEqual([true, false]);
  await waitFor("all to be crossed off", async () => (await redis.hlen("docker-ci:slack:work:journal")) === 0);
});

test("Redis keeps an entry with the way back to a slash command until it is crossed off, and knows what came before", async () => {
  await using server = await openRedis();
  const redis = server.redis.commands;
  const journal = createSlackJournal(redis, network, log);
  const heard = heardAs("trigger:1");
  expect(await journal.write(heard, "https://hooks.example.org/1")).toBe("written");
  expect(await journal.write(heard, undefined)).toBe("known");
  expect(await journal.leftOver()).toEqual([]);
  const [left] = await createSlackJournal(redis, network, log).leftOver();
  expect(left).toEqual({ heard, at: expect.any(Date), responseUrl: "https://hooks.example.org/1" });
  expect(await redis.ttl("docker-ci:slack:work:response:trigger:1")).toBeLessThanOrEqual(29 * 60);
  expect(await redis.ttl("docker-ci:slack:work:journal")).toBeGreaterThan(0);
  await journal.crossOff(["trigger:1"]);
  expect(await redis.keys("docker-ci:slack:work:*")).toEqual(["docker-ci:slack:work:once:trigger:1"]);
});

test("a full journal takes no more and remembers nothing of it; what cannot be read is dropped", async () => {
  await using server = await openRedis();
  const redis = server.redis.commands;
  const journal = createSlackJournal(redis, network, log);
  await redis.hset(
    "docker-ci:slack:work:journal",
    Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [n, "{"])),
  );
  expect(await journal.write(heardAs("said:C1:1.1"), undefined)).toBe("full");
  expect(await journal.leftOver()).toEqual([]);
  expect(await journal.write(heardAs("said:C1:1.1"), undefined)).toBe("written");
});

test("what was left over for a day is dropped", async () => {
  await using slack = await startSlack();
  const at = new Date(Date.now() - 25 * 3_600_000);
  const left = [
    { heard: heardAs("said:C1:1.1", "!old"), at, responseUrl: undefined },
    { heard: heardAs("said:C1:1.2", "!newer"), at: new Date(), responseUrl: undefined },
  ];
  await using bot = startSlackBot(slack, { deps: { journal: journalInMemory(left) } });
  expect((await bot.hear()).text).toBe("!newer");
});
