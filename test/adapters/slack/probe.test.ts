import { pino } from "pino";
import { expect, test } from "vitest";
import { probeSlack } from "../../../adapters/slack/index.ts";
import { network } from "../../support/slack-bot.ts";
import { startSlack, TOKENS } from "../../support/slack-server.ts";

const log = pino({ level: "silent" });
const options = {
  name: network,
  botToken: TOKENS.bot,
  appToken: TOKENS.app,
  channels: ["C1", "C2"],
  version: "docker-ci/test",
};

test("a workspace is looked at without a socket: who the bot is, where it is and where not", async () => {
  await using slack = await startSlack();
  const probe = await probeSlack({ ...options, apiUrl: slack.apiUrl }, log);
  expect(probe).toEqual({ bot: "docker-ci", team: "Test", rooms: ["C1"], missing: ["C2"] });
  expect(slack.sockets.connections).toBe(0);
});

test.each([
  ["a wrong bot token", { botToken: "xoxb-wrong" }, "bot_token: Slack does not know this token"],
  ["a wrong app token", { appToken: "xapp-wrong" }, "app_token: Slack does not know this token"],
])("%s is named", async (_what, wrong, reason) => {
  await using slack = await startSlack();
  await expect(probeSlack({ ...options, ...wrong, apiUrl: slack.apiUrl }, log)).rejects.toThrow(reason);
});

test("a server that is not there, hangs or talks nonsense is a sentence", async () => {
  await using slack = await startSlack();
  const probe = (): Promise<unknown> =>
    probeSlack({ ...options, apiUrl: slack.apiUrl }, log, { callTimeoutMs: 100, callRetryMs: 10 });
  slack.fault("auth.test", { kind: "hang" }, 9);
  await expect(probe()).rejects.toThrow("Slack does not answer in time");
  slack.fault("auth.test", { kind: "garbage", body: "<html>" }, 9);
  await expect(probe()).rejects.toThrow("Slack's answer cannot be read");
  await slack.kill();
  await expect(probe()).rejects.toThrow("Slack cannot be reached (ECONNREFUSED)");
});
