/** Slack passes what every chat has to. */
import { chatContract } from "../../contract/chat.ts";
import { dev, startSlackBot } from "../../support/slack-bot.ts";
import { startSlack } from "../../support/slack-server.ts";

chatContract("Slack", async () => {
  const slack = await startSlack();
  const bot = startSlackBot(slack);
  await bot.connected();
  return {
    chat: bot.chat,
    room: dev,
    said: () => slack.shown().flatMap((text) => text.split("\n")),
    speak: (text) => void slack.say("U1", "C1", text),
    outage: {
      freeze: () => slack.freeze(),
      thaw: () => slack.thaw(),
      kill: () => slack.kill(),
      start: () => slack.start(),
    },
    async [Symbol.asyncDispose]() {
      await bot[Symbol.asyncDispose]();
      await slack[Symbol.asyncDispose]();
    },
  };
});
