/** Which channels the bot was invited to. */
import type { Logger } from "pino";
import { z } from "zod";
import { describeError } from "../../src/errors.ts";
import type { SlackApi } from "./api.ts";

const Memberships = z.object({ channels: z.array(z.object({ id: z.string() })) });
/** The most that Slack lists on one page. */
const PAGE = 999;

/**
 * Those of the configured channels in which the bot is; without a configuration, all in which it is. Never throws: where Slack
 * does not tell, the configured ones count as joined, as posting there will show.
 */
export async function memberChannels(
  api: SlackApi,
  channels: readonly string[],
  log: Logger,
): Promise<readonly string[]> {
  const args = { types: "public_channel,private_channel", exclude_archived: true, limit: PAGE };
  try {
    const { channels: joined } = await api.call("users.conversations", args, Memberships, "safe", 1);
    const ids = joined.map(({ id }) => id);
    if (channels.length === 0) return ids;
    const missing = channels.filter((id) => !ids.includes(id));
    if (missing.length > 0) log.warn({ channels: missing }, "the bot was not invited to these channels");
    return channels.filter((id) => ids.includes(id));
  } catch (error) {
    log.debug({ reason: describeError(error) }, "cannot see which channels the bot is in");
    return channels;
  }
}
