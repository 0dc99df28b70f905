import { describe, expect, test } from "vitest";
import { startSlackBot } from "../../support/slack-bot.ts";
import { startSlack, TOKENS } from "../../support/slack-server.ts";
import { waitFor } from "../../support/wait-for.ts";

describe("tokens", () => {
  test.each([
    ["bot_token", { botToken: "xoxb-wrong" }],
    ["app_token", { appToken: "xapp-wrong" }],
    ["bot_token", { botToken: TOKENS.app }],
  ])("a wrong %s keeps it away with a clear reason, and nothing falls over", async (token, options) => {
    await using slack = await startSlack();
    await using bot = startSlackBot(slack, { options });
    await bot.away(new RegExp(`${token}: Slack does not know this token`));
    await expect(bot.send("x")).rejects.toThrow(/work is away: .*token/);
    const calls = slack.calls.length;
    await waitFor("another try", () => slack.calls.length > calls);
    expect(bot.states.filter(({ kind }) => kind === "connected")).toEqual([]);
  });

  test("a token that is revoked while the bot is up takes it away, and one that is good again brings it back", async () => {
    await using slack = await startSlack();
    await using bot = startSlackBot(slack);
    await bot.connected();
    slack.fault("auth.test", { kind: "error", error: "token_revoked" }, 3);
    await bot.away(/bot_token: the token was revoked/);
    await bot.connected();
  });
});

describe("a server that comes and goes", () => {
  test("a bot started before its server connects when the server starts", async () => {
    await using slack = await startSlack();
    await slack.kill();
    await using bot = startSlackBot(slack);
    await bot.away(/Slack cannot be reached \(ECONNREFUSED\)/);
    await slack.start();
    await bot.connected();
  });

  test("a server that was killed and started again has the bot back, and hears what it then says", async () => {
    await using slack = await startSlack();
    await using bot = startSlackBot(slack);
    await bot.connected();
    for (let round = 0; round < 3; round += 1) {
      await slack.kill();
      await bot.away(/broke|reached/);
      await expect(bot.send("lost?")).rejects.toMatchObject({ name: "RuntimeError", retryable: true });
      await slack.start();
      await bot.connected();
      slack.say("U1", "C1", `round ${round}`);
      expect((await bot.hear()).text).toBe(`round ${round}`);
      await bot.send(`round ${round}`);
    }
    expect(slack.shown()).toEqual(["round 0", "round 1", "round 2"]);
  });

  test("what was said while nobody listened is heard after the reconnection, once", async () => {
    await using slack = await startSlack();
    await using bot = startSlackBot(slack);
    await bot.connected();
    slack.sockets.cut();
    slack.mention("U1", "C1", "build hello");
    expect((await bot.hear()).text).toBe("@docker-ci build hello");
    slack.say("U1", "C1", "the end");
    expect((await bot.hear()).text).toBe("the end");
  });

  test("a change of sockets that Slack asks for is no outage", async () => {
    await using slack = await startSlack();
    await using bot = startSlackBot(slack);
    await bot.connected();
    slack.sockets.raw(JSON.stringify({ type: "disconnect", reason: "refresh_requested" }));
    await waitFor("another socket", () => slack.sockets.connections === 2 && slack.sockets.isOpen);
    slack.say("U1", "C1", "hello");
    await bot.hear();
    expect(bot.states.map(({ kind }) => kind)).toEqual(["away", "connected"]);
  });

  test("a socket that no longer answers is given up", async () => {
    await using slack = await startSlack();
    await using bot = startSlackBot(slack, { timing: { pongTimeoutMs: 150 } });
    await bot.connected();
    slack.sockets.mute = true;
    await bot.away(/broke/);
    await bot.away(/hello/);
    slack.sockets.mute = false;
    await bot.connected();
  });

  test("a socket on which Slack says nothing is tried again", async () => {
    await using slack = await startSlack();
    slack.sockets.mute = true;
    await using bot = startSlackBot(slack);
    await bot.away(/Slack does not say hello/);
    slack.sockets.mute = false;
    await bot.connected();
  });

  test("an open socket is no proof: a Web API that does not answer is away, and back when it answers", async () => {
    await using slack = await startSlack();
    await using bot = startSlackBot(slack);
    await bot.connected();
    slack.fault("*", { kind: "hang" }, 99);
    await bot.away(/does not answer in time/);
    slack.faults.clear();
    await bot.connected();
    slack.fault("*", { kind: "status", status: 503 }, 99);
    await bot.away(/Slack answers 503/);
    slack.faults.clear();
    await bot.connected();
    expect(slack.sockets.connections).toBe(1);
  });

  test.each([
    ["no JSON", "}{"],
    ["null", "null"],
    ["an event without an event", '{"type":"events_api","envelope_id":"1","payload":{}}'],
    ["a payload of nothing", '{"type":"interactive","envelope_id":"2","payload":null}'],
    ["something new", '{"type":"surprise","envelope_id":"3","payload":{}}'],
    ["a message of nothing", '{"type":"events_api","envelope_id":"4","payload":{"event":{"type":"message"}}}'],
    ["a strange button", '{"type":"interactive","envelope_id":"5","payload":{"type":"block_actions","actions":[]}}'],
  ])("garbage on the socket is passed over: %s", async (_what, frame) => {
    await using slack = await startSlack();
    await using bot = startSlackBot(slack);
    await bot.connected();
    slack.sockets.raw(frame);
    slack.say("U1", "C1", "still here?");
    expect((await bot.hear()).text).toBe("still here?");
  });

  test("an answer of garbage at the login is an outage like any other", async () => {
    await using slack = await startSlack();
    slack.fault("auth.test", { kind: "garbage", body: "<html>" });
    slack.fault("apps.connections.open", { kind: "garbage", body: '{"ok":true}' });
    await using bot = startSlackBot(slack);
    await bot.away(/cannot be read/);
    await bot.connected();
  });
});

describe("a socket's address that leads nowhere", () => {
  test.each([
    ["no address", "nonsense"],
    ["a port without anybody", "ws://127.0.0.1:9/"],
    ["a server that speaks no websocket", "HTTP"],
  ])("%s is an outage like any other", async (_what, address) => {
    await using slack = await startSlack();
    const url = address === "HTTP" ? `${slack.url.replace("http", "ws")}/api/auth.test` : address;
    slack.sockets.refuse = address === "HTTP";
    slack.fault("apps.connections.open", { kind: "garbage", body: JSON.stringify({ ok: true, url }) }, 2);
    await using bot = startSlackBot(slack);
    await bot.away(/Slack|WebSocket|URL|url/);
    slack.sockets.refuse = false;
    await bot.connected();
    slack.say("U1", "C1", "hello");
    await bot.hear();
  });
});

describe("rooms and the end", () => {
  test("the channels it was invited to are its rooms", async () => {
    await using slack = await startSlack();
    slack.workspace.addChannel("C2", "private", false);
    await using bot = startSlackBot(slack, { options: { channels: ["C1", "C2", "C3"] } });
    await bot.connected();
    await waitFor("the rooms", () => bot.chat.state.kind === "connected" && bot.chat.state.rooms.join() === "C1");
  });

  test("nothing is left after it is disposed of, whatever it was doing", async () => {
    await using slack = await startSlack();
    const up = startSlackBot(slack);
    await up.connected();
    slack.fault("chat.postMessage", { kind: "hang" });
    const lost = up.send("x");
    const settled = Promise.allSettled([lost]);
    await up[Symbol.asyncDispose]();
    expect(await settled).toMatchObject([{ status: "rejected", reason: { name: "RuntimeError" } }]);
    expect(up.chat.state).toMatchObject({ kind: "away", reason: "stopped" });
    await waitFor("the socket's end", () => !slack.sockets.isOpen);

    slack.fault("auth.test", { kind: "hang" });
    const connecting = startSlackBot(slack, { timing: { callTimeoutMs: 60_000 } });
    await waitFor("a login", () => slack.callsOf("auth.test").length >= 2);
    await connecting[Symbol.asyncDispose]();
    const immediately = startSlackBot(slack);
    await immediately[Symbol.asyncDispose]();
    slack.sockets.mute = true;
    const waiting = startSlackBot(slack, { timing: { helloTimeoutMs: 60_000, pongTimeoutMs: 60_000 } });
    const { connections } = slack.sockets;
    await waitFor("a socket", () => slack.sockets.connections > connections);
    const from = performance.now();
    await waiting[Symbol.asyncDispose]();
    expect(performance.now() - from).toBeLessThan(2_000);
  });
});
