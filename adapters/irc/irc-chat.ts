/** One IRC network as a chat: wires the parts together and keeps the state people see. */
import type { Client } from "irc-framework";
import type { Logger } from "pino";
import type { Chat, ChatState, Outgoing } from "../../src/chat/chat.ts";
import { Listeners } from "../../src/chat/listeners.ts";
import type { ChatMessage, Room } from "../../src/chat/message.ts";
import { RuntimeError } from "../../src/errors.ts";
import type { NetworkName } from "../../src/names.ts";
import { Accounts } from "./accounts.ts";
import { Channels } from "./channels.ts";
import { Connection } from "./connection.ts";
import { Hearing } from "./hearing.ts";
import { LineLimit } from "./line-limit.ts";
import { Nick } from "./nick.ts";
import type { IrcOptions, IrcTiming } from "./options.ts";
import { OutMessage } from "./out-line.ts";
import { Pacer } from "./pacer.ts";
import { Proof } from "./proof.ts";
import { renderLines } from "./render.ts";
import { splitLine } from "./split.ts";

export class IrcChat implements Chat {
  readonly network: NetworkName;
  readonly #log: Logger;
  readonly #messages: Listeners<ChatMessage>;
  readonly #states: Listeners<ChatState>;
  readonly #connection: Connection;
  readonly #channels: Channels;
  readonly #accounts: Accounts;
  readonly #pacer: Pacer;
  readonly #proof: Proof;
  readonly #limit: LineLimit;
  readonly #colours: boolean;
  /** Rooms that refuse colours (channel mode +c and its like). */
  readonly #plain = new Set<string>();
  #state: ChatState = { kind: "away", since: new Date(), reason: "connecting" };

  constructor(client: Client, options: IrcOptions, timing: IrcTiming, random: () => number, log: Logger) {
    this.network = options.name;
    this.#log = log;
    this.#colours = options.colours;
    this.#messages = new Listeners(log);
    this.#states = new Listeners(log);
    this.#limit = new LineLimit(client);
    this.#proof = new Proof(client, timing.proofTimeoutMs);
    this.#pacer = new Pacer(options.pace, (lines) => this.#proof.write(lines));
    this.#channels = new Channels(client, options.channels, timing, log, () => this.#roomsChanged());
    const nick = new Nick(client, options.nick, timing.nickRegainMs);
    const accounts = new Accounts(client, timing.accountTimeoutMs);
    this.#accounts = accounts;
    new Hearing(client, options.name, this.#channels, accounts, (message) => this.#messages.tell(message));
    this.#connection = new Connection(client, options, timing, random, {
      up: () => {
        log.info("connected");
        this.#change({ kind: "connected", since: new Date(), rooms: [] });
        this.#channels.enter();
      },
      down: (reason) => {
        for (const part of [nick, accounts, this.#channels, this.#limit]) part.reset();
        this.#away(reason);
      },
    });
  }

  get state(): ChatState {
    return this.#state;
  }

  /** Starts to connect; called once. */
  open(): void {
    this.#connection.open();
  }

  onMessage(listener: (message: ChatMessage) => void): () => void {
    return this.#messages.add(listener);
  }

  onState(listener: (state: ChatState) => void): () => void {
    return this.#states.add(listener);
  }

  send(outgoing: Outgoing): Promise<void> {
    const target = this.#target(outgoing.room);
    if (target instanceof RuntimeError) return Promise.reject(target);
    const colours = this.#colours && !this.#plain.has(target);
    const limit = this.#limit.bytesFor(target);
    const around = (nick: string): boolean => this.#accounts.isAround(nick);
    const texts = renderLines(outgoing, colours, around).flatMap((text) => splitLine(text, limit));
    const message = new OutMessage(texts.length);
    this.#pacer.add(
      texts.map((text) => ({ message, target, text })),
      outgoing.priority,
    );
    if (!colours) return message.delivered;
    return message.delivered.catch((error: unknown) => {
      // Whoever sends it again gets it through without.
      if (error instanceof RuntimeError && /colou?r/i.test(error.message)) this.#plain.add(target);
      throw error;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#messages.clear();
    await this.#connection.close("docker-ci is stopping");
    this.#away("stopped"); // also where there was no connection to close
    this.#states.clear();
  }

  /** Where lines for a room go to, or why they cannot. */
  #target({ kind, name }: Room): string | RuntimeError {
    if (this.#state.kind === "away") return new RuntimeError(`${this.network} is away: ${this.#state.reason}`);
    if (kind === "channel") {
      const reason = this.#channels.whyNot(name);
      return reason === undefined ? (this.#channels.canonical(name) ?? name) : new RuntimeError(reason);
    }
    if (/^[:#&]|[\s\p{Cc},!@*?]/u.test(name)) return new RuntimeError(`${name} is no nick`, { retryable: false });
    return name;
  }

  #roomsChanged(): void {
    if (this.#state.kind !== "connected") return;
    this.#change({ ...this.#state, rooms: this.#channels.joined });
  }

  /** Nothing is carried over a lost connection: what is not proven may be lost, and the sender decides. */
  #away(reason: string): void {
    const since = this.#state.kind === "away" ? this.#state.since : new Date();
    const changed = this.#state.kind === "connected" || this.#state.reason !== reason;
    if (changed) this.#log.warn({ reason }, "away");
    if (changed) this.#change({ kind: "away", since, reason });
    for (const { message } of [...this.#proof.clear(), ...this.#pacer.clear()]) {
      message.failed(new RuntimeError(`${this.network} went away: ${reason}`));
    }
  }

  #change(state: ChatState): void {
    this.#state = state;
    this.#states.tell(state);
  }
}
