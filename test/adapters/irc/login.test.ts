import { afterAll, beforeAll, expect, test } from "vitest";
import { type Inspircd, startInspircd } from "../../support/inspircd.ts";
import { startBot } from "../../support/irc-bot.ts";
import { connectPerson } from "../../support/irc-client.ts";
import { startScripted, welcoming } from "../../support/irc-scripted.ts";
import { startNgircd } from "../../support/ngircd.ts";

let server: Inspircd;
beforeAll(async () => {
  server = await startInspircd({ accounts: { "docker-ci": "pass-word" } });
});
afterAll(() => server[Symbol.asyncDispose]());

// O-70
test("the bot logs in with SASL before it joins (O-11)", async () => {
  await using bot = startBot(server, { account: "docker-ci", password: "pass-word" });
  await bot.inRooms();
  await using ada = await connectPerson(server, "ada");
  ada.send("WHOIS docker-ci");
  expect(await ada.hear(/ 330 /)).toContain("docker-ci docker-ci");
});

test("a wrong password keeps it away, says so, and is tried again in case somebody mends it", async () => {
  await using bot = startBot(server, { account: "docker-ci", password: "wrong" }, { loginRetryMs: 50 });
  await bot.away(/SASL login failed: /);
  await using ada = await connectPerson(server, "ada");
  ada.send("ISON docker-ci");
  expect(await ada.hear(/ 303 /)).not.toMatch(/:docker-ci/);
});

test("without an account the password is the server's, and goes nowhere else", async () => {
  await using scripted = await startScripted(welcoming("sasl account-notify"));
  await using bot = startBot(scripted, { password: "hunter2" });
  await bot.inRooms();
  expect(scripted.lines.filter((text) => /AUTHENTICATE|PASS|hunter2/.test(text))).toEqual(["PASS hunter2"]);
});

test("a server with a password of its own lets in who has it, and says so to who has not", async () => {
  await using closed = await startNgircd({ password: "open sesame" });
  await using stranger = startBot(closed, { nick: "stranger", password: "open barley" });
  await stranger.away(/password/i);
  await using bot = startBot(closed, { password: "open sesame" });
  await bot.inRooms();
});

test("a server without SASL does not get a bot that wants to be logged in", async () => {
  await using plain = await startNgircd();
  await using bot = startBot(plain, { account: "docker-ci", password: "pass-word" });
  await bot.away(/SASL login failed: the server offers none/);
});
