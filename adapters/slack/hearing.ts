/**
 * What people say, press and command, as messages for the core: each once, and in order within a room.
 *
 * Slack may be told that we have something when it is written down (journal.ts), or when it was answered, whichever is first.
 * While Redis is away only the second is left: people are told at once that it is, and Slack, which hears nothing of us before
 * that, delivers again what a process took with it when it was killed. It does so for events; of a slash command or a button
 * it tells the person that it did not work.
 */
import type { Logger } from "pino";
import type { ChatMessage, Room } from "../../src/chat/message.ts";
import { describeError } from "../../src/errors.ts";
import { deferred } from "../../src/lifecycle.ts";
import { type Heard, idOf, type LeftOver, type SlackJournal } from "./journal.ts";
import { mayBeCommand, mentionedUsers, undoMarkup } from "./markup.ts";
import type { SlackOptions } from "./options.ts";
import { MessageEvent, PressedButton, SlashCommand } from "./payloads.ts";
import type { People } from "./people.ts";
import { ASKS, type PressedToAsk, readAnswer } from "./questions.ts";
import { Recent } from "./recent.ts";
import type { ResponseUrls } from "./response-urls.ts";

/** What was left a day ago and longer is nobody's business any more. */
const FORGOTTEN_AFTER_MS = 24 * 3_600_000;

export interface HearingParts {
  readonly options: SlackOptions;
  readonly journal: SlackJournal;
  readonly people: People;
  readonly responses: ResponseUrls;
  readonly log: Logger;
  /** The bot's own user id and name; both are empty before it is known. */
  self(): { readonly id: string; readonly name: string };
  /** Resolves when the message was handled to its end: whether it was, or the chat was stopped first. */
  deliver(message: ChatMessage): Promise<boolean>;
  /** A button was pressed that asks for something first. */
  ask(pressed: PressedToAsk): void;
  /** Somebody addressed the bot in a channel that is not one of its own. */
  elsewhere(channel: string, user: string): void;
}

/** Whether it is in the journal: `known` came before, `talk` asks nothing of us, `unwritten` should be and is not. */
type Written = "written" | "known" | "talk" | "unwritten";

export class Hearing {
  readonly #parts: HearingParts;
  /** The last message of each room that is still being looked up. */
  readonly #waiting = new Map<string, Promise<void>>();
  /** A repetition soon after is known without Redis, and also when it does not answer. */
  readonly #recent = new Recent(10_000);
  /** By id, what may not be acknowledged yet, however often it comes. */
  readonly #unsafe = new Map<string, Promise<void>>();
  /** What comes before what was left over has been taken up. */
  #held: (() => void)[] | undefined = [];
  #takenUp = false;
  /** Handled, and still in the journal. */
  readonly #uncrossed = new Set<string>();
  #crossing = false;

  constructor(parts: HearingParts) {
    this.#parts = parts;
  }

  /**
   * A `message` or an `app_mention`: the same words may come as both, and both again.
   * @returns when it may be acknowledged. Never rejects.
   */
  async said(body: unknown): Promise<void> {
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
    const said = `said:${channel}:${ts}`;
    const ids: Heard["ids"] = parsed.event_id === undefined ? [said] : [`event:${parsed.event_id}`, said];
    const more = thread_ts === undefined ? {} : { thread: thread_ts };
    await this.#take({ ids, room, user, text, ...more });
  }

  /** @returns when it may be acknowledged: a sentence for the person alone, where the command is not taken. */
  async slash(body: unknown): Promise<string | undefined> {
    const parsed = SlashCommand.safeParse(body).data;
    if (parsed === undefined) return "This command cannot be read.";
    const { text, user_id, channel_id, channel_name, trigger_id, response_url } = parsed;
    const room = this.#room(channel_id, channel_name === "directmessage");
    if (room === undefined) return notHere(channel_id);
    if (response_url !== undefined) this.#parts.responses.keep(channel_id, user_id, response_url);
    // Who only calls wants to know what can be said.
    const said = text.trim() === "" ? "help" : text;
    const heard = { room, user: user_id, text: said, command: true, discreet: true } as const;
    await this.#take({ ids: [`trigger:${trigger_id}`], ...heard }, response_url);
    return undefined;
  }

  /** @returns when it may be acknowledged. Never rejects. */
  async pressed(body: unknown): Promise<void> {
    const parsed = PressedButton.safeParse(body).data;
    if (parsed === undefined) return;
    const { user, channel, trigger_id, actions, container, message } = parsed;
    const room = this.#room(channel.id, false);
    const [action] = actions;
    if (room === undefined || action?.value === undefined) return;
    const thread = container.thread_ts ?? message?.thread_ts ?? container.message_ts;
    if (action.action_id.startsWith(ASKS)) {
      const pressed = { value: action.value, triggerId: trigger_id, user: user.id, channel: channel.id, thread };
      if (this.#recent.add(`asks:${trigger_id}`)) this.#parts.ask(pressed);
      return;
    }
    const heard = { room, user: user.id, text: action.value, thread, command: true, discreet: true } as const;
    await this.#take({ ids: [`trigger:${trigger_id}`], ...heard });
  }

  /** What somebody sent with a form that a button opened. @returns when it may be acknowledged. Never rejects. */
  async answered(body: unknown): Promise<void> {
    const answer = readAnswer(body);
    const room = answer === undefined ? undefined : this.#room(answer.channel, false);
    if (answer === undefined || room === undefined) return;
    const { user, text, thread } = answer;
    await this.#take({ ids: [`view:${answer.id}`], room, user, text, thread, command: true, discreet: true });
  }

  /** First what a process before this one left, then what came meanwhile; tried again at the next call where Redis is away. */
  async takeUp(): Promise<void> {
    if (this.#takenUp) return;
    this.#takenUp = true;
    const { journal, log } = this.#parts;
    try {
      const left = await journal.leftOver();
      if (left.length > 0) log.info({ count: left.length }, "taking up what was said before the last stop");
      for (const each of left) this.#again(each);
    } catch (error) {
      this.#takenUp = false;
      log.warn({ reason: describeError(error) }, "cannot see what was said before the last stop");
    }
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const begin of held) begin();
  }

  /** Undefined for a channel that is not configured, where any are. */
  #room(channel: string, direct: boolean): Room | undefined {
    const { name, channels } = this.#parts.options;
    if (direct || channel.startsWith("D")) return { network: name, kind: "direct", name: channel };
    if (channels.length > 0 && !channels.includes(channel)) return undefined;
    return { network: name, kind: "channel", name: channel };
  }

  /** Resolves when it may be acknowledged. */
  #take(heard: Heard, responseUrl?: string): Promise<void> {
    const id = idOf(heard);
    if (!this.#recent.add(id)) return this.#unsafe.get(id) ?? Promise.resolve();
    const written = this.#write(heard, responseUrl);
    const handled = deferred<void>();
    const begin = (): void => this.#inTurn(heard, written, undefined, handled.resolve);
    if (this.#held === undefined) begin();
    else this.#held.push(begin);
    const safe = written
      .then((how) => (how === "unwritten" ? handled.promise : undefined))
      .finally(() => this.#unsafe.delete(id));
    this.#unsafe.set(id, safe);
    return safe;
  }

  #again({ heard, at, responseUrl }: LeftOver): void {
    const id = idOf(heard);
    if (Date.now() - at.getTime() > FORGOTTEN_AFTER_MS) {
      this.#parts.log.warn({ id, at }, "a message is too old to be answered");
      void this.#crossOff(id);
      return;
    }
    this.#recent.add(id);
    if (responseUrl !== undefined) this.#parts.responses.keep(heard.room.name, heard.user, responseUrl);
    this.#inTurn(heard, Promise.resolve("written"), at, () => undefined);
  }

  async #write(heard: Heard, responseUrl: string | undefined): Promise<Written> {
    const { self, journal, log } = this.#parts;
    const direct = heard.room.kind === "direct" || heard.command === true;
    if (!direct && !mayBeCommand(heard.text, self().name)) return "talk";
    try {
      const how = await journal.write(heard, responseUrl);
      if (how !== "full") return how;
      log.warn("too much waits to be answered; Slack keeps what comes now until it is");
    } catch (error) {
      log.warn({ reason: describeError(error) }, "cannot write down what was said");
    }
    return "unwritten";
  }

  /** Looks up at once, and delivers after what was said in the room before. */
  #inTurn(heard: Heard, written: Promise<Written>, leftOver: Date | undefined, done: () => void): void {
    const { name } = heard.room;
    const before = this.#waiting.get(name);
    const turn = Promise.all([written, this.#lookUp(heard), before]).then(([how, message]) => {
      if (this.#waiting.get(name) === turn) this.#waiting.delete(name);
      if (how === "known") done();
      else void this.#handle(leftOver === undefined ? message : { ...message, leftOver }, how).then(done);
    });
    this.#waiting.set(name, turn);
  }

  /** What the chat's stop cut short stays in the journal, for the next start. */
  async #handle(message: ChatMessage, how: Written): Promise<void> {
    const handled = await this.#parts.deliver(message);
    // A write that Redis never answered may have been done.
    if (handled && how !== "talk") await this.#crossOff(message.id);
  }

  /** One call at a time: what is handled meanwhile goes with the next. */
  async #crossOff(id: string): Promise<void> {
    this.#uncrossed.add(id);
    if (this.#crossing) return;
    this.#crossing = true;
    try {
      while (this.#uncrossed.size > 0) {
        const ids = [...this.#uncrossed];
        await this.#parts.journal.crossOff(ids);
        for (const each of ids) this.#uncrossed.delete(each);
      }
    } catch (error) {
      const reason = describeError(error);
      this.#parts.log.warn({ reason }, "cannot cross off what was answered; the next time it is tried again");
    } finally {
      this.#crossing = false;
    }
  }

  async #lookUp({ ids, room, user, text, ...more }: Heard): Promise<ChatMessage> {
    const { people, self, options } = this.#parts;
    const me = self();
    const mentioned = mentionedUsers(text.slice(0, 4_000)).filter((id) => id !== me.id);
    const [displayName] = await Promise.all([people.name(user), ...mentioned.slice(0, 5).map((id) => people.name(id))]);
    people.heard(room.name, displayName, user);
    return {
      id: ids.at(-1) ?? ids[0],
      room,
      speaker: { network: options.name, displayName, account: user, trusted: false },
      text: undoMarkup(text, { user: (id) => (id === me.id ? me.name : people.nameNow(id)) }),
      botName: me.name,
      ...more,
    };
  }
}

export function notHere(channel: string): string {
  return `I answer in the channels of my configuration only; an admin can add ${channel} to slack: channels.`;
}
