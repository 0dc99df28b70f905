/** IRC passes what every chat has to. */
import { chatContract } from "../../contract/chat.ts";
import { ci, startBot } from "../../support/irc-bot.ts";
import { connectPerson } from "../../support/irc-client.ts";
import { startNgircd } from "../../support/ngircd.ts";

chatContract("IRC", async () => {
  const server = await startNgircd();
  const bot = startBot(server);
  await bot.inRooms();
  const ada = await connectPerson(server, "ada");
  await ada.join("#ci");
  return {
    chat: bot.chat,
    room: ci,
    said: () => ada.lines.flatMap((text) => / PRIVMSG #ci :(.*)$/.exec(text)?.[1] ?? []),
    speak: (text) => ada.say("#ci", text),
    outage: { freeze: server.freeze, thaw: server.thaw, kill: server.kill, start: server.start },
    async [Symbol.asyncDispose]() {
      await ada[Symbol.asyncDispose]();
      await bot[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
});
