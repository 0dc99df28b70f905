/** From a reply to messages in Slack: which message it changes, what goes into the thread, who is addressed. */
import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { z } from "zod";
import type { Outgoing } from "../../src/chat/chat.ts";
import type { Reply } from "../../src/chat/reply.ts";
import type { SlackApi } from "./api.ts";
import { isFinal, isUnderWay, message, type SlackMessage } from "./blocks.ts";
import type { Posted, SlackMemory } from "./memory.ts";
import type { People } from "./people.ts";
import type { Pictures } from "./pictures.ts";
import type { Posting } from "./posting.ts";
import { SlackRefusal } from "./refusal.ts";
import type { ResponseUrls } from "./response-urls.ts";
import { plain } from "./text.ts";

const Anything = z.looseObject({});
/** With these a message can no longer be edited, and another takes its place. */
const GONE = new Set(["message_not_found", "cant_update_message", "edit_window_closed"]);
const NOT_THERE = new Set(["not_in_channel", "channel_not_found", "user_not_in_channel"]);

export interface DeliveryParts {
  readonly api: SlackApi;
  readonly memory: SlackMemory;
  readonly people: People;
  readonly posting: Posting;
  readonly pictures: Pictures;
  readonly responses: ResponseUrls;
  readonly log: Logger;
}

export class Delivery {
  readonly #parts: DeliveryParts;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
  }

  /** @throws SlackRefusal, LostAnswer, TooMany; or what the memory throws. */
  async deliver(outgoing: Outgoing): Promise<void> {
    const { room, reply } = outgoing;
    const user = this.#user(outgoing);
    try {
      if (outgoing.whisper === true && user !== undefined) await this.#whisper(outgoing, user);
      else if (reply.key === undefined) await this.#plain(outgoing);
      else await this.#keyed(outgoing, reply.key);
    } catch (error) {
      // A slash command can be given where the bot is not; then the answer goes the way the command came.
      const url = user === undefined ? undefined : this.#parts.responses.take(room.name, user);
      if (url === undefined || !(error instanceof SlackRefusal) || !NOT_THERE.has(error.code)) throw error;
      await this.#parts.responses.answer(url, this.#shown(outgoing), outgoing.whisper === true);
    }
  }

  /** Shows the state of what `key` names, if a message shows it and it is not over. */
  async edit(room: string, key: string, reply: Reply): Promise<void> {
    const posted = await this.#parts.memory.get(room, key);
    if (posted === undefined || posted.final) return;
    await this.#update(posted, message(reply), 1);
  }

  async #plain(outgoing: Outgoing): Promise<void> {
    const answer = await this.#post(outgoing, this.#shown(outgoing), outgoing.thread, "");
    if (answer.fresh) await this.#picture(outgoing, answer.channel, outgoing.thread ?? answer.ts);
  }

  async #keyed(outgoing: Outgoing, key: string): Promise<void> {
    const { room, reply } = outgoing;
    const before = await this.#parts.memory.get(room.name, key);
    const final = isFinal(reply) || before?.final === true;
    // An answer that was overtaken by the end of what it announces: the message says more than this does.
    if (before?.final === true && isUnderWay(reply)) return;
    const head = {
      lines: reply.inPlace === true ? reply.lines : reply.lines.slice(0, 1),
      quote: reply.quote,
      actions: reply.actions,
    };
    const updated = before !== undefined && (await this.#update(before, message(head)));
    const posted = updated ? { ...before, final } : await this.#postKeyed(outgoing, final);
    await this.#parts.memory.set(room.name, key, posted);
    await this.#details(outgoing, posted, updated);
  }

  async #postKeyed(outgoing: Outgoing, final: boolean): Promise<Posted> {
    const { lines, quote, actions } = outgoing.reply;
    const shown = message({ lines, quote, actions, address: this.#address(outgoing) });
    const { channel, ts } = await this.#post(outgoing, shown, outgoing.thread, "");
    const { thread } = outgoing;
    return { channel, ts, final, ...(thread === undefined ? {} : { thread }) };
  }

  /** What does not stand in the message itself. An edit rings for nobody, so whoever asked hears of the end in the thread. */
  async #details(outgoing: Outgoing, posted: Posted, updated: boolean): Promise<void> {
    const { reply, to } = outgoing;
    const rings = updated && posted.final && to !== undefined;
    const beside = reply.inPlace === true ? reply.lines.slice(0, rings ? 1 : 0) : reply.lines.slice(rings ? 0 : 1);
    const lines = updated ? beside : [];
    const thread = posted.thread ?? posted.ts;
    const verbatim = [...(reply.verbatim ?? []), ...(reply.details ?? [])];
    if (lines.length > 0 || verbatim.length > 0) {
      const address = rings ? this.#address(outgoing) : undefined;
      const shown = message({ lines, verbatim, address });
      const answer = await this.#post(
        { ...outgoing, room: { ...outgoing.room, name: posted.channel } },
        shown,
        thread,
        "/details",
      );
      if (!answer.fresh) return;
    }
    await this.#picture(outgoing, posted.channel, thread);
  }

  #post(outgoing: Outgoing, shown: SlackMessage, thread: string | undefined, part: string) {
    const { id, room } = outgoing;
    return this.#parts.posting.post({
      channel: room.name,
      thread,
      message: shown,
      id: `${id === undefined ? randomUUID() : `${room.name}/${id}`}${part}`,
      maybeTried: id !== undefined,
    });
  }

  /** @returns whether the message is still there. */
  async #update({ channel, ts }: Posted, shown: SlackMessage, tries?: number): Promise<boolean> {
    try {
      await this.#parts.api.call("chat.update", { channel, ts, ...shown }, Anything, "safe", tries);
      return true;
    } catch (error) {
      if (error instanceof SlackRefusal && GONE.has(error.code)) return false;
      throw error;
    }
  }

  async #whisper(outgoing: Outgoing, user: string): Promise<void> {
    const { room, reply, thread } = outgoing;
    const { lines, verbatim, quote, actions } = reply;
    const args = { channel: room.name, user, ...(thread === undefined ? {} : { thread_ts: thread }) };
    await this.#parts.api.call(
      "chat.postEphemeral",
      { ...args, ...message({ lines, verbatim, quote, actions }) },
      Anything,
      "once",
    );
  }

  async #picture({ reply: { chart } }: Outgoing, channel: string, thread: string): Promise<void> {
    if (chart !== undefined) await this.#parts.pictures.show(chart, channel, thread);
  }

  #shown(outgoing: Outgoing): SlackMessage {
    const { lines, verbatim, quote, actions } = outgoing.reply;
    return message({ lines, verbatim, quote, actions, address: this.#address(outgoing) });
  }

  #user({ room, to, toAccount }: Outgoing): string | undefined {
    return toAccount ?? (to === undefined ? undefined : this.#parts.people.idOf(room.name, to));
  }

  /** Whoever is alone with the bot is meant anyhow. */
  #address(outgoing: Outgoing): string | undefined {
    if (outgoing.to === undefined || outgoing.room.kind === "direct") return undefined;
    const user = this.#user(outgoing);
    return user !== undefined && /^[UW][A-Z0-9]+$/.test(user) ? `<@${user}>` : `${plain(outgoing.to)}:`;
  }
}
