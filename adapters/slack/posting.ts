/**
 * Posting so that nothing is lost, and as little as possible said twice. Slack has no idempotency for chat.postMessage, so
 * every message bears its delivery's id as metadata. When an answer was lost, or the same id was tried before (by a process
 * that was killed, say), the room's history is read before it is posted again.
 *
 * What holds: a message is posted at least once, or the call rejects. It is posted twice only where Slack took it without
 * answering and shows it in the history later than we look (`SETTLE_MS`), or the history cannot be read (no scope, or more than
 * `LOOKED_AT` messages since).
 */
import type { Logger } from "pino";
import { z } from "zod";
import { describeError } from "../../src/errors.ts";
import type { Arguments, SlackApi } from "./api.ts";
import type { SlackMessage } from "./blocks.ts";
import type { SlackMemory } from "./memory.ts";
import { LostAnswer, SlackRefusal } from "./refusal.ts";

const TRIES = 3;
/** What Slack needs to show a message that it took while its answer was lost. */
const SETTLE_MS = 500;
const LOOKED_AT = 100;
const EVENT_TYPE = "docker_ci_delivery";
const HOUR_S = 3_600;

const PostAnswer = z.object({ channel: z.string(), ts: z.string() });
export type PostAnswer = z.infer<typeof PostAnswer>;

const History = z.object({
  messages: z.array(
    z.object({
      ts: z.string(),
      metadata: z
        .object({ event_payload: z.object({ id: z.string().optional() }) })
        .optional()
        .catch(undefined),
    }),
  ),
});

/** Refused for what it looks like, not for what it says. */
const UGLY = new Set([
  "invalid_blocks",
  "invalid_blocks_format",
  "invalid_attachments",
  "msg_too_long",
  "msg_blocks_too_long",
]);

export interface Post {
  readonly channel: string;
  readonly thread: string | undefined;
  readonly message: SlackMessage;
  /** Unique in the workspace. */
  readonly id: string;
  /** The id may have been tried before this call. */
  readonly maybeTried: boolean;
}

export class Posting {
  readonly #api: SlackApi;
  readonly #memory: SlackMemory;
  readonly #retryMs: number;
  readonly #log: Logger;

  constructor(api: SlackApi, memory: SlackMemory, retryMs: number, log: Logger) {
    this.#api = api;
    this.#memory = memory;
    this.#retryMs = retryMs;
    this.#log = log;
  }

  /** @throws SlackRefusal, LostAnswer, TooMany; or what the memory throws. */
  async post(post: Post): Promise<PostAnswer & { readonly fresh: boolean }> {
    if (post.maybeTried && !(await this.#memory.firstTime(`post:${post.id}`))) {
      const found = await this.#find(post);
      if (found !== undefined) return { ...found, fresh: false };
    }
    for (let tried = 1; ; tried += 1) {
      try {
        return { ...(await this.#postOnce(post)), fresh: true };
      } catch (error) {
        if (!(error instanceof LostAnswer) || error.undone) throw error;
        await this.#api.pause(SETTLE_MS + this.#retryMs * 2 ** tried);
        const found = await this.#find(post);
        if (found !== undefined) return { ...found, fresh: true };
        if (tried >= TRIES) throw error;
      }
    }
  }

  async #postOnce({ channel, thread, message, id }: Post): Promise<PostAnswer> {
    const args: Arguments = {
      channel,
      metadata: { event_type: EVENT_TYPE, event_payload: { id } },
      unfurl_links: false,
      unfurl_media: false,
      ...(thread === undefined ? {} : { thread_ts: thread }),
    };
    try {
      return await this.#api.call("chat.postMessage", { ...args, ...message }, PostAnswer, "once");
    } catch (error) {
      if (!(error instanceof SlackRefusal) || !UGLY.has(error.code)) throw error;
      this.#log.error({ err: error, blocks: message }, "Slack does not take this message; it goes out as text");
      return await this.#api.call("chat.postMessage", { ...args, text: message.text }, PostAnswer, "once");
    }
  }

  /** The message with this id, where the room's history has it. */
  async #find({ channel, thread, id }: Post): Promise<PostAnswer | undefined> {
    const since = String(Math.floor(Date.now() / 1000) - 24 * HOUR_S);
    const args = { channel, limit: LOOKED_AT, include_all_metadata: true, oldest: since };
    try {
      const { messages } =
        thread === undefined
          ? await this.#api.call("conversations.history", args, History, "safe")
          : await this.#api.call("conversations.replies", { ...args, ts: thread }, History, "safe");
      const found = messages.find(({ metadata }) => metadata?.event_payload.id === id);
      return found === undefined ? undefined : { channel, ts: found.ts };
    } catch (error) {
      if (!(error instanceof SlackRefusal)) throw error;
      // Better said twice than never.
      this.#log.warn({ channel, reason: describeError(error) }, "cannot see whether a message arrived");
      return undefined;
    }
  }
}
