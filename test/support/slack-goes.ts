/** A process that connects to a Slack server, stops, and should end by itself: node --import tsx slack-goes.ts <api url>. */
import { startSlackBot } from "./slack-bot.ts";

const [, , apiUrl = "", until = "connected"] = process.argv;
const bot = startSlackBot(
  { apiUrl },
  { timing: { loginRetryMs: 60_000, reconnectMinMs: 60_000, reconnectMaxMs: 60_000 } },
);
if (until === "connected") await bot.connected();
else await bot.away(/./);
await bot[Symbol.asyncDispose]();
process.stdout.write("disposed");
