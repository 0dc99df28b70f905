import { afterAll, beforeAll, expect, test } from "vitest";
import { parseChannel } from "../../../adapters/irc/index.ts";
import { network, startBot } from "../../support/irc-bot.ts";
import { connectPerson } from "../../support/irc-client.ts";
import { type Ngircd, startNgircd } from "../../support/ngircd.ts";

let server: Ngircd;
beforeAll(async () => {
  server = await startNgircd();
});
afterAll(() => server[Symbol.asyncDispose]());

test("a bot that was kicked comes back", async () => {
  await using ada = await connectPerson(server, "ada");
  await ada.join("#kick");
  await using bot = startBot(server, { channels: [{ name: "#kick" }] });
  await bot.inRooms("#kick");
  ada.send("KICK #kick docker-ci :away with you");
  await ada.hear(/KICK #kick docker-ci/);
  await ada.hear(/^:docker-ci!\S+ JOIN :#kick$/);
  await bot.inRooms("#kick");
});

test("channels with keys are joined with them, beside channels without", async () => {
  await using ada = await connectPerson(server, "ada");
  await ada.join("#secret");
  ada.send("MODE #secret +k sesame");
  await ada.hear(/MODE #secret \+k/);
  await using bot = startBot(server, { channels: [{ name: "#open" }, { name: "#secret", key: "sesame" }] });
  await bot.inRooms("#open", "#secret");
});

test("a channel that keeps the bot out is tried again, and what is sent there meanwhile says why it cannot be", async () => {
  await using ada = await connectPerson(server, "ada");
  await ada.join("#closed");
  ada.send("MODE #closed +i");
  await ada.hear(/MODE #closed \+i/);
  await using bot = startBot(server, { channels: [{ name: "#closed" }, { name: "#open" }] });
  await bot.inRooms("#open");
  const room = { network, kind: "channel", name: "#closed" } as const;
  await expect(bot.notice("hello", room)).rejects.toThrow(/not in #closed: .*invite/i);
  ada.send("MODE #closed -i");
  await bot.inRooms("#closed", "#open");
  await bot.notice("hello", room);
  await ada.hear(/PRIVMSG #closed :hello$/);
});

test("an invitation to a configured channel is followed at once", async () => {
  await using ada = await connectPerson(server, "ada");
  await ada.join("#guests");
  ada.send("MODE #guests +i");
  await ada.hear(/MODE #guests \+i/);
  const channels = [{ name: "#guests" }, { name: "#open" }];
  await using bot = startBot(server, { channels }, { joinRetryMs: 3_600_000 });
  await bot.inRooms("#open");
  ada.send("INVITE docker-ci #guests");
  await bot.inRooms("#guests");
});

test("a channel whose name is written in another case is one room with one name", async () => {
  await using ada = await connectPerson(server, "ada");
  await using bot = startBot(server, { channels: [{ name: "#shouting" }] });
  await bot.inRooms("#shouting");
  await ada.join("#ShouTing");
  ada.say("#SHOUTING", "!status");
  expect((await bot.hear()).room).toEqual({ network: "test", kind: "channel", name: "#shouting" });
});

test.each([
  ["#docker-dev", { name: "#docker-dev" }],
  ["docker-dev", { name: "#docker-dev" }],
  ["#Docker-Dev", { name: "#docker-dev" }],
  ["#secret sesame", { name: "#secret", key: "sesame" }],
  ["secret  Sesame ", { name: "#secret", key: "Sesame" }],
  ["&local", { name: "&local" }],
  ["##overflow", { name: "##overflow" }],
  ["", undefined],
  ["#", undefined],
  ["#a,#b", undefined],
  ["#a key more", undefined],
  ["#a ke,y", undefined],
  ["#a\u0007", undefined],
])("the channel written %j is %j", (text, channel) => {
  expect(parseChannel(text)).toEqual(channel);
});

// O-76
test("what somebody does is heard as that, in a channel and in private", async () => {
  await using bot = startBot(server, { channels: [{ name: "#deeds" }] });
  await bot.inRooms("#deeds");
  await using ada = await connectPerson(server, "ada");
  await ada.join("#deeds");
  ada.say("#deeds", "\x01ACTION pokes docker-ci\x01");
  expect(await bot.hear()).toMatchObject({ text: "pokes docker-ci", action: true, room: { name: "#deeds" } });
  ada.say("docker-ci", "\x01ACTION waves\x01");
  expect(await bot.hear()).toMatchObject({ text: "waves", action: true, room: { kind: "direct", name: "ada" } });
  ada.say("#deeds", "pokes docker-ci");
  expect(await bot.hear()).not.toHaveProperty("action");
});
