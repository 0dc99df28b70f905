import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type SlackBot, startSlackBot } from "../../support/slack-bot.ts";
import { type Slack, startSlack } from "../../support/slack-server.ts";
import { waitFor } from "../../support/wait-for.ts";

let slack: Slack;
let bot: SlackBot;
beforeEach(async () => {
  slack = await startSlack();
  bot = startSlackBot(slack);
  await bot.connected();
});
afterEach(async () => {
  await bot[Symbol.asyncDispose]();
  await slack[Symbol.asyncDispose]();
});

/** Everything said before is heard when this is. */
async function heardBefore(channel = "C1"): Promise<string[]> {
  slack.say("U2", channel, "the end");
  await waitFor("the end", () => bot.heard.some(({ text }) => text === "the end"), { everyMs: 5 });
  return bot.heard.map(({ text }) => text).filter((text) => text !== "the end");
}

describe("what is a message", () => {
  test("a line in a channel comes with its room, its speaker's id as the account, and their name to address them", async () => {
    const ts = slack.say("U1", "C1", "!build hello");
    expect(await bot.hear()).toEqual({
      id: `said:C1:${ts}`,
      room: { network: "work", kind: "channel", name: "C1" },
      speaker: { network: "work", displayName: "ada", account: "U1", trusted: false },
      text: "!build hello",
      botName: "docker-ci",
    });
  });

  test("a mention reads as the grammar wants it, and runs once though Slack makes two events of it", async () => {
    slack.mention("U1", "C1", "build hello");
    expect((await bot.hear()).text).toBe("@docker-ci build hello");
    expect(await heardBefore()).toHaveLength(1);
  });

  test("a direct message, a thread, a slash command", async () => {
    slack.say("U1", "D1", "status");
    expect(await bot.hear()).toMatchObject({ room: { kind: "direct", name: "D1" }, text: "status" });
    slack.say("U1", "C1", "!why 43", { thread: "1700000000.000100" });
    expect(await bot.hear()).toMatchObject({ thread: "1700000000.000100" });
    slack.slash("U1", "C1", "build hello main");
    expect(await bot.hear()).toMatchObject({ text: "build hello main", command: true, discreet: true });
    slack.slash("U1", "D1", "  ");
    expect(await bot.hear()).toMatchObject({ room: { kind: "direct" }, text: "help", command: true });
  });

  test.each([
    ["an edited message", { subtype: "message_changed" }],
    ["a bot's", { subtype: "bot_message", bot_id: "B2" }],
    ["another bot's without a subtype", { bot_id: "B2" }],
    ["our own", { user: "UBOT" }],
    ["a hidden one", { hidden: true }],
    ["one without a user", { user: undefined }],
    ["somebody joined", { subtype: "channel_join" }],
  ])("%s is ignored", async (_what, event) => {
    slack.say("U1", "C1", "!build hello", { event });
    expect(await heardBefore()).toEqual([]);
  });

  test.each([
    ["a link that Slack made", "!build <http://docker.io|docker.io>", "!build docker.io"],
    ["an address", "!build x <https://a.example/?q=1&amp;r=2>", "!build x https://a.example/?q=1&r=2"],
    ["people and channels", "!claim <@U2> <#C1|general> <#C9>", "!claim @bob #general #C9"],
    ["a group and everybody", "<!subteam^S1|@team> <!here> <!date^1^{date}|today>", "@team @here today"],
    ["entities, once", "!log 1 /a &lt;b&gt; &amp;amp; c/", "!log 1 /a <b> &amp; c/"],
    ["a quoted line", "&gt; !build hello", "> !build hello"],
    ["emoji only", ":tada: 🎉", ":tada: 🎉"],
    ["right to left marks", "\u202e!build\u202c hello", "\u202e!build\u202c hello"],
  ])("%s reads as it was typed", async (_what, sent, read) => {
    slack.say("U1", "C1", sent);
    expect((await bot.hear()).text).toBe(read);
  });

  test("40,000 characters of anything are taken in", async () => {
    for (const text of ["<".repeat(40_000), "&".repeat(40_000), `!build ${"x<@U2".repeat(7_000)}`]) {
      slack.say("U1", "C1", text);
      expect((await bot.hear()).text).toHaveLength(text.length);
    }
  });
});

describe("once, and in order", () => {
  test("what Slack delivers five times runs once", async () => {
    slack.say("U1", "C1", "!build hello", { times: 5 });
    slack.mention("U1", "C1", "build hello", { times: 5 });
    expect(await heardBefore()).toEqual(["!build hello", "@docker-ci build hello"]);
  });

  test("a slow look-up of one speaker's name does not let others in the room go first", async () => {
    slack.fault("users.info", { kind: "hang" });
    slack.say("U1", "C1", "first");
    slack.say("U2", "C1", "second");
    expect((await bot.hear()).text).toBe("first");
    expect((await bot.hear()).text).toBe("second");
  });

  test("a name that Slack does not tell is no reason not to listen", async () => {
    slack.fault("users.info", { kind: "error", error: "missing_scope" }, 99);
    slack.say("U1", "C1", "!status");
    expect((await bot.hear()).speaker).toMatchObject({ displayName: "U1", account: "U1" });
  });

  test("a journal that fails loses no command and doubles none", async () => {
    const broken = async (): Promise<never> => {
      throw new Error("Redis is away");
    };
    await using deaf = startSlackBot(slack, {
      deps: { journal: { write: broken, crossOff: broken, leftOver: broken } },
    });
    await deaf.connected();
    await bot[Symbol.asyncDispose]();
    slack.mention("U1", "C1", "build hello", { times: 3 });
    await deaf.hear();
    slack.say("U2", "C1", "the end");
    expect((await deaf.hear()).text).toBe("the end");
  });
});

describe("buttons and places", () => {
  const actions = [
    { label: "Cancel", command: "cancel 1", style: "danger" as const },
    { label: "Log", link: "https://ci.example.org/builds/1/log" },
  ];

  test("a button says its command, discreetly, and the answer belongs to the message's thread", async () => {
    await bot.send({ lines: [{ tone: "running", facts: ["hello #1 step 1"] }], actions });
    const [message] = slack.messages();
    if (message === undefined) throw new Error("nothing was posted");
    slack.press("U2", "C1", message, "Cancel", 2);
    expect(await bot.hear()).toMatchObject({
      text: "cancel 1",
      command: true,
      discreet: true,
      thread: message.ts,
      speaker: { account: "U2", displayName: "bob" },
    });
    slack.press("U2", "C1", message, "Log");
    expect(await heardBefore()).toEqual(["cancel 1"]);
  });

  test("each of two presses is a command; a press that is delivered twice is one", async () => {
    await bot.send({ lines: [{ tone: "running", facts: ["hello #1 step 1"] }], actions });
    const [message] = slack.messages();
    if (message === undefined) throw new Error("nothing was posted");
    slack.press("U2", "C1", message, "Cancel");
    slack.press("U2", "C1", message, "Cancel");
    await bot.hear();
    await bot.hear();
    expect(new Set(bot.heard.map(({ id }) => id)).size).toBe(2);
  });

  test("where channels are configured, others get a private sentence when they call the bot, and nothing else", async () => {
    slack.workspace.addChannel("C2", "elsewhere");
    await using picky = startSlackBot(slack, { options: { channels: ["C1"] } });
    await picky.connected();
    await bot[Symbol.asyncDispose]();
    slack.say("U1", "C2", "!build hello");
    slack.mention("U1", "C2", "build hello", { times: 2 });
    slack.slash("U1", "C2", "build hello");
    slack.say("U1", "C1", "here");
    expect((await picky.hear()).text).toBe("here");
    await waitFor("the private sentence", () => slack.workspace.ephemerals.length > 0);
    expect(slack.workspace.ephemerals).toEqual([
      { channel: "C2", user: "U1", shown: expect.stringContaining("channels of my configuration") },
    ]);
    const answers = [...slack.sockets.envelopes.values()].map(({ answer }) => JSON.stringify(answer ?? ""));
    expect(answers.filter((text) => text.includes("channels of my configuration"))).toHaveLength(1);
  });

  test("everything is acknowledged, and in far less than three seconds", async () => {
    for (let count = 0; count < 20; count += 1) slack.say("U1", "C1", `line ${count}`);
    slack.slash("U1", "C1", "status");
    const all = (): boolean => [...slack.sockets.envelopes.values()].every(({ ackedAt }) => ackedAt !== undefined);
    await waitFor("acknowledgements", () => slack.sockets.envelopes.size === 21 && all());
    for (const { sentAt, ackedAt = 0 } of slack.sockets.envelopes.values())
      expect(ackedAt - sentAt).toBeLessThan(1_000);
  });
});
