/** One Slack workspace as a chat: wires the parts together and keeps the state people see. */
import type { App } from "@slack/bolt";
import type { Logger } from "pino";
import { z } from "zod";
import type { Chat, ChatState, Outgoing } from "../../src/chat/chat.ts";
import { Listeners } from "../../src/chat/listeners.ts";
import { type ChatMessage, type Room, roomKey } from "../../src/chat/message.ts";
import type { Chart, Reply } from "../../src/chat/reply.ts";
import { describeError, RuntimeError } from "../../src/errors.ts";
import { deferred } from "../../src/lifecycle.ts";
import type { NetworkName } from "../../src/names.ts";
import { SlackApi } from "./api.ts";
import { Connection, type Who } from "./connection.ts";
import { Delivery } from "./delivery.ts";
import { Edits } from "./edits.ts";
import { Hearing, notHere } from "./hearing.ts";
import type { SlackJournal } from "./journal.ts";
import { listenTo } from "./listen.ts";
import type { SlackMemory } from "./memory.ts";
import type { SlackOptions, SlackTiming } from "./options.ts";
import { People } from "./people.ts";
import { Pictures } from "./pictures.ts";
import { Posting } from "./posting.ts";
import { openQuestion } from "./questions.ts";
import { LostAnswer, roomRefusal, SlackRefusal, TooMany } from "./refusal.ts";
import { ResponseUrls } from "./response-urls.ts";
import { RoomQueue } from "./room-queue.ts";

export interface SlackParts {
  readonly memory: SlackMemory;
  readonly journal: SlackJournal;
  readonly timing: SlackTiming;
  readonly log: Logger;
  readonly drawChart: ((chart: Chart) => Promise<Buffer>) | undefined;
  random(): number;
}

const Anything = z.looseObject({});

export class SlackChat implements Chat {
  readonly network: NetworkName;
  readonly #log: Logger;
  readonly #messages: Listeners<ChatMessage>;
  readonly #states: Listeners<ChatState>;
  readonly #stopped = new AbortController();
  /** Somebody listens; what comes before waits for them. */
  readonly #listened = deferred<void>();
  readonly #api: SlackApi;
  readonly #connection: Connection;
  readonly #hearing: Hearing;
  readonly #delivery: Delivery;
  readonly #edits: Edits;
  readonly #queues = new Map<string, RoomQueue>();
  #who: Who | undefined;
  #state: ChatState = { kind: "away", since: new Date(), reason: "connecting" };
  #running: Promise<void> | undefined;

  constructor(options: SlackOptions, { memory, journal, timing, log, drawChart, random }: SlackParts) {
    this.network = options.name;
    this.#log = log;
    this.#messages = new Listeners(log);
    this.#states = new Listeners(log);
    const stopped = this.#stopped.signal;
    const api = new SlackApi(options, timing, stopped, log);
    this.#api = api;
    const people = new People(api);
    const responses = new ResponseUrls(api);
    const posting = new Posting(api, memory, timing.callRetryMs, log);
    const pictures = new Pictures(api, drawChart, log);
    this.#delivery = new Delivery({ api, memory, people, posting, pictures, responses, log });
    this.#edits = new Edits(
      {
        allowed: () => this.#state.kind === "connected" && !api.isLimited("chat.update"),
        edit: (room, key, reply) => this.#edit(room, key, reply),
      },
      timing,
      log,
    );
    this.#hearing = new Hearing({
      options,
      journal,
      people,
      responses,
      log,
      self: () => ({ id: this.#who?.user_id ?? "", name: this.#who?.user ?? "" }),
      deliver: async (message) => {
        await this.#listened.promise;
        if (!stopped.aborted) await this.#messages.toldAll(message);
        return !stopped.aborted;
      },
      ask: (pressed) => void openQuestion(api, pressed, log),
      elsewhere: (channel, user) => this.#refer(channel, user),
    });
    this.#connection = new Connection({
      options,
      timing,
      api,
      log,
      stopped,
      random,
      listen: (app: App) => listenTo(app, this.#hearing),
      taken: (body) => this.#hearing.said(body),
      up: (who, rooms) => this.#up(who, rooms),
      down: (reason) => this.#away(reason),
    });
  }

  get state(): ChatState {
    return this.#state;
  }

  /** Starts to connect; called once. */
  open(): void {
    this.#running = this.#connection.run();
  }

  onMessage(listener: (message: ChatMessage) => unknown): () => void {
    this.#listened.resolve();
    return this.#messages.add(listener);
  }

  onState(listener: (state: ChatState) => void): () => void {
    return this.#states.add(listener);
  }

  async send(outgoing: Outgoing): Promise<void> {
    this.#mustBeConnected();
    const { room, reply, priority } = outgoing;
    if (reply.key !== undefined) this.#edits.supersede(room.name, reply.key);
    await this.#queue(room.name).add(priority, async () => {
      try {
        this.#mustBeConnected();
        await this.#delivery.deliver(outgoing);
      } catch (error) {
        throw this.#explain(error, room);
      }
    });
  }

  progress(room: Room, key: string, reply: Reply | undefined): void {
    if (this.#state.kind === "connected") this.#edits.show(room.name, key, reply);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#messages.clear();
    this.#edits.clear();
    this.#stopped.abort();
    await this.#running;
    this.#away("stopped");
    this.#states.clear();
  }

  #edit(room: string, key: string, reply: () => Reply | undefined): Promise<void> {
    return this.#queue(room).add("edit", async () => {
      const last = reply();
      if (last !== undefined && this.#state.kind === "connected") await this.#delivery.edit(room, key, last);
    });
  }

  #queue(room: string): RoomQueue {
    const known = this.#queues.get(room);
    if (known !== undefined) return known;
    for (const [name, queue] of this.#queues) if (queue.idle) this.#queues.delete(name);
    const queue = new RoomQueue();
    this.#queues.set(room, queue);
    return queue;
  }

  #mustBeConnected(): void {
    if (this.#state.kind === "away") throw new RuntimeError(`${this.network} is away: ${this.#state.reason}`);
  }

  /** What a person or the outbox is told; the cause is for the log. */
  #explain(error: unknown, room: Room): RuntimeError {
    if (error instanceof RuntimeError) return error;
    const cause = { cause: error };
    if (error instanceof SlackRefusal) {
      const bot = this.#who?.user ?? "docker-ci";
      return new RuntimeError(roomRefusal(error.code, roomKey(room), bot), cause);
    }
    if (error instanceof LostAnswer || error instanceof TooMany) {
      return new RuntimeError(`${this.network}: ${error.message}`, cause);
    }
    return new RuntimeError(`${roomKey(room)} cannot be told: ${describeError(error)}`, cause);
  }

  #up(who: Who, rooms: readonly string[]): void {
    this.#who = who;
    void this.#hearing.takeUp();
    if (this.#state.kind === "connected" && this.#state.rooms.join() === rooms.join()) return;
    this.#log.info({ bot: who.user, team: who.team, rooms }, "connected");
    const since = this.#state.kind === "connected" ? this.#state.since : new Date();
    this.#change({ kind: "connected", since, rooms });
  }

  #away(reason: string): void {
    if (this.#state.kind === "away" && this.#state.reason === reason) return;
    const since = this.#state.kind === "away" ? this.#state.since : new Date();
    if (reason !== "stopped") this.#log.warn({ reason }, "away");
    this.#edits.clear();
    this.#change({ kind: "away", since, reason });
  }

  #change(state: ChatState): void {
    this.#state = state;
    this.#states.tell(state);
  }

  /** A private word to whoever called the bot where it does not answer. */
  #refer(channel: string, user: string): void {
    const args = { channel, user, text: notHere(channel) };
    this.#api.call("chat.postEphemeral", args, Anything, "once").catch((error: unknown) => {
      this.#log.debug({ channel, reason: describeError(error) }, "could not say where the bot answers");
    });
  }
}
