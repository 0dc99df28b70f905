import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Inspircd, startInspircd } from "../../support/inspircd.ts";
import { type Bot, startBot } from "../../support/irc-bot.ts";
import { connectPerson, type Person } from "../../support/irc-client.ts";
import { startScripted, welcoming } from "../../support/irc-scripted.ts";
import { startNgircd } from "../../support/ngircd.ts";

describe.each([
  ["that tags every message with the account", []],
  ["that announces account changes (WHOX)", ["ircv3_accounttag"]],
  ["that has only WHOX", ["ircv3_accounttag", "ircv3"]],
])("on a network with services %s", (_, without) => {
  let server: Inspircd;
  let bot: Bot;
  let ada: Person;
  let mallory: Person;

  beforeAll(async () => {
    server = await startInspircd({ accounts: { ada: "secret" }, without });
    bot = startBot(server);
    await bot.inRooms();
    // InspIRCd lets people in once a second, so those of one test are those of the next.
    [ada, mallory] = await Promise.all([connectPerson(server, "dev"), connectPerson(server, "mallory")]);
    ada.say("NickServ", "IDENTIFY ada secret");
    await ada.hear(/ 900 /);
    await ada.join("#ci");
    await mallory.join("#ci");
  });
  afterAll(async () => {
    for (const each of [ada, mallory, bot, server]) await each[Symbol.asyncDispose]();
  });

  test("somebody who is logged in is known by the account, in the channel and in private, whatever the nick", async () => {
    ada.say("#ci", "!build hello");
    expect((await bot.hear()).speaker).toMatchObject({ displayName: "dev", account: "ada", trusted: false });
    ada.send("NICK dev|home");
    ada.say("#ci", "!status");
    expect((await bot.hear()).speaker).toMatchObject({ displayName: "dev|home", account: "ada" });
    ada.say("docker-ci", "build hello");
    expect(await bot.hear()).toMatchObject({
      room: { kind: "direct", name: "dev|home" },
      speaker: { account: "ada" },
      text: "build hello",
    });
    ada.send("NICK dev");
    await ada.hear(/NICK :?dev$/);
  });

  test("a nick that belongs to somebody proves nothing", async () => {
    mallory.send("NICK ada");
    mallory.say("#ci", "!release docker 1.0");
    expect((await bot.hear()).speaker).toMatchObject({ displayName: "ada", account: undefined });
    mallory.say("docker-ci", "release docker 1.0");
    expect((await bot.hear()).speaker).toMatchObject({ displayName: "ada", account: undefined });
    mallory.send("NICK mallory");
    await mallory.hear(/NICK :?mallory$/);
  });

  test("a nick that somebody known gave up is a stranger's when another takes it", async () => {
    ada.say("#ci", "mine");
    expect((await bot.hear()).speaker.account).toBe("ada");
    ada.send("NICK away");
    await mallory.hear(/NICK :?away/);
    mallory.send("NICK dev");
    await mallory.hear(/NICK :?dev/);
    mallory.say("#ci", "mine now");
    expect((await bot.hear()).speaker).toMatchObject({ displayName: "dev", account: undefined });
    ada.say("#ci", "still me");
    expect((await bot.hear()).speaker).toMatchObject({ displayName: "away", account: "ada" });
    mallory.send("NICK mallory");
    await mallory.hear(/NICK :?mallory$/);
    ada.send("NICK dev");
    await ada.hear(/NICK :?dev$/);
  });

  test("somebody who has logged out is a stranger from then on", async () => {
    await using eve = await connectPerson(server, "eve");
    eve.say("NickServ", "IDENTIFY ada secret");
    await eve.hear(/ 900 /);
    eve.say("docker-ci", "in");
    expect((await bot.hear()).speaker.account).toBe("ada");
    eve.say("NickServ", "LOGOUT");
    await eve.hear(/ 901 /);
    eve.say("docker-ci", "out");
    expect((await bot.hear()).speaker.account).toBeUndefined();
  });

  test("messages of a room are heard in the order they were said", async () => {
    for (let n = 0; n < 5; n += 1) {
      ada.say("#ci", `ada ${n}`);
      await mallory.hear(new RegExp(`:ada ${n}$`));
      mallory.say("#ci", `mallory ${n}`);
      await ada.hear(new RegExp(`:mallory ${n}$`));
    }
    const texts: string[] = [];
    for (let n = 0; n < 10; n += 1) texts.push((await bot.hear()).text);
    expect(texts).toEqual([0, 1, 2, 3, 4].flatMap((n) => [`ada ${n}`, `mallory ${n}`]));
  });

  test("an answer is proven here too, to somebody who is away as well, and is not heard as a message", async () => {
    ada.send("AWAY :lunch");
    await ada.hear(/ 306 /);
    await bot.answer("dev", "in the channel");
    await ada.hear(/PRIVMSG #ci :dev: in the channel$/);
    await bot.answer("dev", "in private", { network: bot.chat.network, kind: "direct", name: "dev" });
    await ada.hear(/PRIVMSG dev :in private$/);
    const gone = { network: bot.chat.network, kind: "direct", name: "gone" } as const;
    await expect(bot.answer("gone", "hello", gone)).rejects.toThrow(/no such nick/i);
    ada.say("#ci", "heard");
    expect((await bot.hear()).text).toBe("heard");
  });
});

test("a server without accounts passes messages on at once, from nobody known", async () => {
  await using server = await startNgircd();
  await using bot = startBot(server);
  await bot.inRooms();
  await using ada = await connectPerson(server, "ada");
  ada.say("docker-ci", "\x02status\x02\t\x0304,01now\x03");
  expect(await bot.hear()).toMatchObject({ speaker: { account: undefined }, text: "status now" });
  ada.send("NOTICE docker-ci :ignored");
  ada.say("docker-ci", "\x01PING ignored too\x01");
  ada.say("docker-ci", "heard");
  expect((await bot.hear()).text).toBe("heard");
});

test("without WHOX the account is asked for by WHOIS, and an answer about somebody else is not believed", async () => {
  let host = "h";
  await using server = await startScripted((text) => {
    const nick = /^WHOIS (\S+)/.exec(text)?.[1];
    if (nick === undefined) return welcoming("account-notify")(text);
    return [
      `:irc.test 311 docker-ci ${nick} a ${host} * :Ada`,
      `:irc.test 330 docker-ci ${nick} ada :is logged in as`,
      `:irc.test 318 docker-ci ${nick} :End`,
    ];
  });
  await using bot = startBot(server);
  await bot.inRooms();
  server.say(":ada!a@h PRIVMSG docker-ci :one");
  expect((await bot.hear()).speaker.account).toBe("ada");
  host = "elsewhere";
  server.say(":ada!a@h PRIVMSG docker-ci :two");
  expect((await bot.hear()).speaker.account).toBeUndefined();
});

test("who does not get an answer about a speaker in time passes the message on, and those behind it wait their turn", async () => {
  await using server = await startScripted((text) =>
    text.startsWith("WHOIS bob")
      ? [
          ":irc.test 311 docker-ci bob b h * :Bob",
          ":irc.test 330 docker-ci bob bob :is",
          ":irc.test 318 docker-ci bob :End",
        ]
      : welcoming("account-notify")(text),
  );
  await using bot = startBot(server, {}, { accountTimeoutMs: 50 });
  await bot.inRooms();
  server.say(":ada!a@h PRIVMSG #ci :first", ":bob!b@h PRIVMSG #ci :second");
  expect(await bot.hear()).toMatchObject({ text: "first", speaker: { account: undefined } });
  expect(await bot.hear()).toMatchObject({ text: "second", speaker: { account: "bob" } });
});
