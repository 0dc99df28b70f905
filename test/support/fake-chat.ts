/** A chat network whose failures a test can stage. */
import type { Chat, ChatState, Outgoing } from "../../src/chat/chat.ts";
import type { ChatMessage, Room } from "../../src/chat/message.ts";
import { lineText } from "../../src/chat/reply.ts";
import { RuntimeError } from "../../src/errors.ts";
import { NetworkName } from "../../src/names.ts";
import { waitFor } from "./wait-for.ts";

export class FakeChat implements Chat {
  readonly network: NetworkName;
  /** What was delivered, in order. */
  readonly sent: Outgoing[] = [];
  /** How often somebody tried to send. */
  tries = 0;
  /** Rooms that the bot is not in. */
  readonly closedRooms = new Set<string>();
  #state: ChatState = { kind: "connected", since: new Date(), rooms: [] };
  readonly #messageListeners = new Set<(message: ChatMessage) => void>();
  readonly #stateListeners = new Set<(state: ChatState) => void>();

  constructor(network = "fake") {
    this.network = NetworkName.parse(network);
  }

  get state(): ChatState {
    return this.#state;
  }

  async send(outgoing: Outgoing): Promise<void> {
    this.tries += 1;
    if (this.#state.kind === "away") throw new RuntimeError(`${this.network} is away`);
    if (this.closedRooms.has(outgoing.room.name)) throw new RuntimeError(`not in ${outgoing.room.name}`);
    this.sent.push(outgoing);
  }

  /** The connection goes down. */
  leave(): void {
    this.#change({ kind: "away", since: new Date(), reason: "the test said so" });
  }

  comeBack(): void {
    this.#change({ kind: "connected", since: new Date(), rooms: [] });
  }

  #change(state: ChatState): void {
    this.#state = state;
    for (const listener of this.#stateListeners) listener(state);
  }

  onMessage(listener: (message: ChatMessage) => void): () => void {
    this.#messageListeners.add(listener);
    return () => this.#messageListeners.delete(listener);
  }

  onState(listener: (state: ChatState) => void): () => void {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  }

  room(name: string, kind: Room["kind"] = "channel"): Room {
    return { network: this.network, kind, name };
  }

  /** Lines as a person reads them, `ada: ✔ hello #1 passed`, of one room or of all. */
  lines(room?: string): string[] {
    return this.sent.filter((outgoing) => room === undefined || outgoing.room.name === room).flatMap(shown);
  }

  /** Those of what was sent after that many messages. */
  linesSince(count: number): string[] {
    return this.sent.slice(count).flatMap(shown);
  }

  /** Waits until that many messages were delivered. */
  async delivered(count: number): Promise<void> {
    await waitFor(`${count} deliveries`, () => this.sent.length >= count, { seen: () => this.lines().join("\n") });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#messageListeners.clear();
    this.#stateListeners.clear();
  }
}

function shown({ reply, to }: Outgoing): string[] {
  const texts = [...reply.lines.map(lineText), ...(reply.verbatim ?? [])];
  return texts.map((text) => (to === undefined ? text : `${to}: ${text}`));
}
