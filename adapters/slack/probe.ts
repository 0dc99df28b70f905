/** Whether a workspace can be reached with these tokens. Opens no socket: a second one would take commands away from a running bot. */
import type { Logger } from "pino";
import { z } from "zod";
import { RuntimeError } from "../../src/errors.ts";
import { SlackApi } from "./api.ts";
import { boltLogger } from "./bolt-log.ts";
import { DEFAULT_TIMING, type SlackOptions, type SlackTiming } from "./options.ts";
import { loginRefusal, sortThrown } from "./refusal.ts";
import { memberChannels } from "./rooms.ts";

const Who = z.object({ user: z.string(), team: z.string().optional() });
const Ticket = z.object({ url: z.url() });

export interface SlackProbe {
  /** The bot's name and the workspace's. */
  readonly bot: string;
  readonly team: string;
  /** Channel ids it is in, and configured ones that it is not in. */
  readonly rooms: readonly string[];
  readonly missing: readonly string[];
}

/** @throws RuntimeError with a sentence that names the token, where one is refused. */
export async function probeSlack(
  options: SlackOptions,
  log: Logger,
  timing: Partial<SlackTiming> = {},
): Promise<SlackProbe> {
  const bolt = await import("@slack/bolt");
  const stop = new AbortController();
  const open = (token: string): SlackApi => {
    const api = new SlackApi({ ...options, botToken: token }, { ...DEFAULT_TIMING, ...timing }, stop.signal, log);
    api.use(bolt.webApi, boltLogger(log, bolt.LogLevel.INFO));
    return api;
  };
  const ask = async <T>(token: string, work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      const refusal = loginRefusal(error);
      const reason = refusal === undefined ? sortThrown(error).message : `${token}: ${refusal}`;
      throw new RuntimeError(reason, { cause: error, retryable: refusal === undefined });
    }
  };
  const api = open(options.botToken);
  const who = await ask("bot_token", api.call("auth.test", {}, Who, "safe", 2));
  await ask("app_token", open(options.appToken).call("apps.connections.open", {}, Ticket, "safe", 2));
  const rooms = await memberChannels(api, options.channels, log);
  const missing = options.channels.filter((channel) => !rooms.includes(channel));
  return { bot: who.user, team: who.team ?? options.name, rooms, missing };
}
