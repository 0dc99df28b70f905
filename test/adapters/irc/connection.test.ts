import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBot } from "../../support/irc-bot.ts";
import { connectPerson } from "../../support/irc-client.ts";
import { startScripted, welcoming } from "../../support/irc-scripted.ts";
import { freePort } from "../../support/irc-server.ts";
import { type Ngircd, startNgircd } from "../../support/ngircd.ts";
import { waitFor } from "../../support/wait-for.ts";

describe("with a server that comes and goes", () => {
  test("a bot that is started before its server gets into its channel when the server starts", async () => {
    const port = await freePort();
    await using bot = startBot({ host: "127.0.0.1", port });
    await bot.away(/127\.0\.0\.1:\d+ refuses connections/);
    await using server = await startNgircd({ port });
    await bot.inRooms();
    expect(server.port).toBe(port);
  });

  // O-78
  test("a bot whose server was killed is away, says why, and is back in its channel within 2 s of the server", async () => {
    await using server = await startNgircd({ throttle: true });
    await using bot = startBot(server, {}, { reconnectMinMs: 800 });
    await bot.inRooms();
    await server.kill();
    await bot.away(/refuses connections/);
    await server.start();
    const returned = performance.now();
    await bot.inRooms();
    expect(performance.now() - returned).toBeLessThan(2000);
    await using ada = await connectPerson(server, "ada");
    await ada.join("#ci");
    await bot.notice("back");
    await ada.hear(/PRIVMSG #ci :back$/);
  });

  // O-78: the watchdog
  test("a server that falls silent with its connection open is given up, and found again", async () => {
    await using server = await startNgircd();
    await using bot = startBot(server, {}, { pingIntervalMs: 100, pingTimeoutMs: 400, registerTimeoutMs: 500 });
    await bot.inRooms();
    server.freeze();
    await bot.away(/silent/);
    server.thaw();
    await bot.inRooms();
  });

  test("a server that takes the connection and never answers is tried again", async () => {
    await using server = await startScripted();
    await using bot = startBot(server, {}, { registerTimeoutMs: 100 });
    await bot.away(/no answer within/);
    await waitFor("a second connection", () => server.connections >= 2);
  });

  test("a port without TLS is called one, whether the server keeps silent there or speaks", async () => {
    const tls = { rejectUnauthorized: true };
    await using silent = await startScripted();
    await using patient = startBot(silent, { tls }, { tlsTimeoutMs: 100 });
    await patient.away(/^no TLS at 127\.0\.0\.1:\d+; for a port without it say tls: false$/);
    await using talker = await startScripted();
    await using bot = startBot(talker, { tls });
    await waitFor("a connection", () => talker.connections === 1);
    talker.say(":irc.test NOTICE * :Looking up your hostname");
    await bot.away(/^no TLS at 127\.0\.0\.1:\d+; for a port without it say tls: false$/);
  });

  test("a server's last words are the reason, and being sent away again and again makes the bot slower", async () => {
    await using server = await startScripted((line) => (line.startsWith("USER") ? ["ERROR :Banned"] : []));
    await using bot = startBot(server, {}, { registerTimeoutMs: 50 });
    await bot.away(/sent us away: Banned/);
  });

  test("nothing is left after it is disposed of: the nick is free and the state says so", async () => {
    await using server = await startNgircd();
    const bot = startBot(server);
    await bot.inRooms();
    await using ada = await connectPerson(server, "ada");
    await ada.join("#ci");
    await bot[Symbol.asyncDispose]();
    await ada.hear(/^:docker-ci!\S+ QUIT :/);
    expect(bot.chat.state).toMatchObject({ kind: "away", reason: "stopped" });
    await expect(bot.notice("too late")).rejects.toThrow(/away/);
  });

  test("it can be disposed of while it connects and while it waits", async () => {
    await using silent = await startScripted();
    const connecting = startBot(silent);
    await waitFor("a connection", () => silent.connections === 1);
    await connecting[Symbol.asyncDispose]();
    const waiting = startBot({ host: "127.0.0.1", port: await freePort() }, {}, { reconnectMinMs: 10_000 });
    await waiting.away(/refuses/);
    await waiting[Symbol.asyncDispose]();
  });
});

// O-70
describe("with a nick that is taken", () => {
  let server: Ngircd;
  beforeAll(async () => {
    server = await startNgircd();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test("the bot takes another, answers to it, and has its own back once it is free", async () => {
    await using holder = await connectPerson(server, "docker-ci");
    await using bot = startBot(server, {}, { nickRegainMs: 100 });
    await bot.inRooms();
    await using ada = await connectPerson(server, "ada");
    ada.say("docker-ci_", "hello");
    expect((await bot.hear()).botName).toBe("docker-ci_");
    await ada.join("#ci");
    holder.send("NICK somebody-else");
    await ada.hear(/^:docker-ci_!\S+ NICK :?docker-ci$/);
    ada.say("docker-ci", "hello again");
    expect((await bot.hear()).botName).toBe("docker-ci");
  });

  test("a spare nick that is too long for the server is shortened", async () => {
    await using strict = await startNgircd({ nickLength: 9 });
    await using holder = await connectPerson(strict, "docker-ci");
    await using bot = startBot(strict, {}, { nickRegainMs: 3_600_000 });
    await bot.inRooms();
    holder.say("docker-__", "hello");
    expect((await bot.hear()).botName).toBe("docker-__");
  });

  test("it does not wait for the next try where it sees the holder go", async () => {
    await using holder = await connectPerson(server, "docker-ci");
    await using ada = await connectPerson(server, "ada");
    await ada.join("#ci");
    await holder.join("#ci");
    await using bot = startBot(server, {}, { nickRegainMs: 3_600_000 });
    await bot.inRooms();
    holder.send("QUIT");
    await ada.hear(/^:docker-ci_!\S+ NICK :?docker-ci$/);
  });
});

// O-70
describe("with TLS", () => {
  let server: Ngircd;
  let tls: { port: number; ca: string };
  beforeAll(async () => {
    server = await startNgircd({ tls: true });
    if (server.tls === undefined) throw new Error("no TLS");
    tls = server.tls;
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test("a private authority that is configured is trusted", async () => {
    await using bot = startBot(
      { host: server.host, port: tls.port },
      { tls: { rejectUnauthorized: true, ca: tls.ca } },
    );
    await bot.inRooms();
  });

  test("a certificate of an unknown authority is refused, and the state says so", async () => {
    await using bot = startBot({ host: server.host, port: tls.port }, { tls: { rejectUnauthorized: true } });
    await bot.away(/certificate/);
  });

  test("it is taken all the same where the configuration says so", async () => {
    await using bot = startBot({ host: server.host, port: tls.port }, { tls: { rejectUnauthorized: false } });
    await bot.inRooms();
  });
});

test("a CTCP VERSION is answered, a flood of them once", async () => {
  await using server = await startScripted(welcoming("multi-prefix"));
  await using bot = startBot(server);
  await bot.inRooms();
  for (let n = 0; n < 20; n += 1) server.say(":ada!a@h PRIVMSG docker-ci :\x01VERSION\x01");
  server.say(":ada!a@h PRIVMSG docker-ci :done");
  await bot.hear();
  await waitFor("an answer", () => server.lines.some((text) => text.startsWith("NOTICE")));
  const answers = server.lines.filter((text) => text.startsWith("NOTICE"));
  expect(answers).toEqual(["NOTICE ada :\x01VERSION docker-ci test\x01"]);
});

test("what a server or bouncer repeats from before the connection is not heard", async () => {
  await using server = await startScripted(welcoming("batch message-tags server-time"));
  await using bot = startBot(server);
  await bot.inRooms();
  const said = (text: string, tags: string): string => `@${tags} :ada!a@h PRIVMSG #ci :${text}`;
  const ago = (ms: number): string => `time=${new Date(Date.now() - ms).toISOString()}`;
  server.say(
    said("!build old", ago(60_000)),
    ":irc.test BATCH +1 chathistory #ci",
    said("!build in a batch", `batch=1;${ago(0)}`),
    ":irc.test BATCH -1",
    said("!build another bot's", `bot;${ago(0)}`),
    said("!build now", `msgid=abc;${ago(0)}`),
  );
  expect(await bot.hear()).toMatchObject({ text: "!build now", id: "abc" });
  expect(bot.heard).toHaveLength(1);
});
