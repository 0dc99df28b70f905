/** Which of the configured channels the bot was invited to. */
import type { Logger } from "pino";
import { z } from "zod";
import { describeError } from "../../src/errors.ts";
import type { SlackApi } from "./api.ts";
import { SlackRefusal } from "./refusal.ts";

const ChannelInfo = z.object({
  channel: z.object({ name: z.string().optional(), is_member: z.boolean().optional(), is_im: z.boolean().optional() }),
});

/** Never throws: a channel that cannot be asked about counts as joined, as posting there will tell. */
export async function memberChannels(api: SlackApi, channels: readonly string[], log: Logger): Promise<string[]> {
  const joined: string[] = [];
  for (const id of channels) {
    try {
      const { channel } = await api.call("conversations.info", { channel: id }, ChannelInfo, "safe");
      if (channel.is_member !== false) joined.push(id);
      else log.warn({ channel: id, name: channel.name }, "the bot was not invited to this channel");
    } catch (error) {
      if (error instanceof SlackRefusal && error.code === "channel_not_found") {
        log.warn({ channel: id }, "there is no such channel, or it is private and the bot was not invited");
        continue;
      }
      log.debug({ channel: id, reason: describeError(error) }, "cannot see whether the bot is in a channel");
      joined.push(id);
    }
  }
  return joined;
}
