/** What people say, press and command, as messages for the core: each once, and in order within a room. */
import type { Logger } from "pino";
import type { ChatMessage, Room } from "../../src/chat/message.ts";
import { describeError } from "../../src/errors.ts";
import { mentionedUsers, undoMarkup } from "./markup.ts";
import type { SlackMemory } from "./memory.ts";
import type { SlackOptions } from "./options.ts";
import { MessageEvent, PressedButton, SlashCommand } from "./payloads.ts";
import type { People } from "./people.ts";
import { Recent } from "./recent.ts";
import type { ResponseUrls } from "./response-urls.ts";

export interface HearingParts {
  readonly options: SlackOptions;
  readonly memory: SlackMemory;
  readonly people: People;
  readonly responses: ResponseUrls;
  readonly log: Logger;
  /** The bot's own user id and name. */
  self(): { readonly id: string; readonly name: string };
  deliver(message: ChatMessage): void;
  /** Somebody addressed the bot in a channel that is not one of its own. */
  elsewhere(channel: string, user: string): void;
}

/** What is known of a message before anything was looked up. */
interface Heard {
  /** Ids under which it may come again. */
  readonly ids: readonly string[];
  readonly room: Room;
  readonly user: string;
  readonly text: string;
  readonly more: Pick<ChatMessage, "thread" | "command" | "discreet">;
}

export class Hearing {
  readonly #parts: HearingParts;
  /** The last message of each room that is still being looked up. */
  readonly #waiting = new Map<string, Promise<void>>();
  /** Also when Redis does not answer, a repetition soon after is known. */
  readonly #recent = new Recent(10_000);

  constructor(parts: HearingParts) {
    this.#parts = parts;
  }

  /** A `message` or an `app_mention`: the same words may come as both, and both again. */
  said(body: unknown): void {
    const parsed = MessageEvent.safeParse(body).data;
    if (parsed === undefined) return;
    const { type, channel, channel_type, user, text, ts, thread_ts } = parsed.event;
    if (user === this.#parts.self().id) return;
    const room = this.#room(channel, channel_type === "im");
    if (room === undefined) {
      if (type === "app_mention" && this.#recent.add(`elsewhere ${channel} ${ts}`))
        this.#parts.elsewhere(channel, user);
      return;
    }
    const event = parsed.event_id === undefined ? [] : [`event:${parsed.event_id}`];
    const more = thread_ts === undefined ? {} : { thread: thread_ts };
    this.#take({ ids: [...event, `said:${channel}:${ts}`], room, user, text, more });
  }

  /** @returns a sentence for the person alone, where the command is not taken. */
  slash(body: unknown): string | undefined {
    const parsed = SlashCommand.safeParse(body).data;
    if (parsed === undefined) return "This command cannot be read.";
    const { text, user_id, channel_id, channel_name, trigger_id, response_url } = parsed;
    const room = this.#room(channel_id, channel_name === "directmessage");
    if (room === undefined) return notHere(channel_id);
    if (response_url !== undefined) this.#parts.responses.keep(channel_id, user_id, response_url);
    // Who only calls wants to know what can be said.
    const said = text.trim() === "" ? "help" : text;
    const more = { command: true, discreet: true };
    this.#take({ ids: [`trigger:${trigger_id}`], room, user: user_id, text: said, more });
    return undefined;
  }

  pressed(body: unknown): void {
    const parsed = PressedButton.safeParse(body).data;
    if (parsed === undefined) return;
    const { user, channel, trigger_id, actions, container, message } = parsed;
    const room = this.#room(channel.id, false);
    const [action] = actions;
    if (room === undefined || action?.value === undefined) return;
    const thread = container.thread_ts ?? message?.thread_ts ?? container.message_ts;
    const more = { command: true, discreet: true, thread };
    this.#take({ ids: [`trigger:${trigger_id}`], room, user: user.id, text: action.value, more });
  }

  /** Undefined for a channel that is not configured, where any are. */
  #room(channel: string, direct: boolean): Room | undefined {
    const { name, channels } = this.#parts.options;
    if (direct || channel.startsWith("D")) return { network: name, kind: "direct", name: channel };
    if (channels.length > 0 && !channels.includes(channel)) return undefined;
    return { network: name, kind: "channel", name: channel };
  }

  /** Looks up at once, and delivers after what was said in the room before. */
  #take(heard: Heard): void {
    const { name } = heard.room;
    const before = this.#waiting.get(name);
    const turn = Promise.all([this.#lookUp(heard), before]).then(([message]) => {
      if (this.#waiting.get(name) === turn) this.#waiting.delete(name);
      if (message !== undefined) this.#parts.deliver(message);
    });
    this.#waiting.set(name, turn);
  }

  async #lookUp({ ids, room, user, text, more }: Heard): Promise<ChatMessage | undefined> {
    const { people, self, options } = this.#parts;
    if (!(await this.#firstTime(ids))) return undefined;
    const me = self();
    const mentioned = mentionedUsers(text.slice(0, 4_000)).filter((id) => id !== me.id);
    const [displayName] = await Promise.all([people.name(user), ...mentioned.slice(0, 5).map((id) => people.name(id))]);
    people.heard(room.name, displayName, user);
    return {
      id: ids.at(-1) ?? "",
      room,
      speaker: { network: options.name, displayName, account: user, trusted: false },
      text: undoMarkup(text, { user: (id) => (id === me.id ? me.name : people.nameNow(id)) }),
      botName: me.name,
      ...more,
    };
  }

  async #firstTime(ids: readonly string[]): Promise<boolean> {
    for (const id of ids) {
      if (!this.#recent.add(id)) return false;
      try {
        if (!(await this.#parts.memory.firstTime(id))) return false;
      } catch (error) {
        // Better heard twice than never; what was heard a moment ago is still known.
        this.#parts.log.warn({ reason: describeError(error) }, "cannot see whether an event came before");
      }
    }
    return true;
  }
}

export function notHere(channel: string): string {
  return `I answer in the channels of my configuration only; an admin can add ${channel} to slack: channels.`;
}
