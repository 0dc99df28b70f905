/** The port behind which each chat network stands. */
import type { NetworkName } from "../names.ts";
import type { ChatMessage, Room } from "./message.ts";
import type { Reply } from "./reply.ts";

/** Whether a network can be talked to right now, and since when it is so. */
export type ChatState =
  | { readonly kind: "connected"; readonly since: Date; readonly rooms: readonly string[] }
  | { readonly kind: "away"; readonly since: Date; readonly reason: string };

/** What the core wants delivered. */
export interface Outgoing {
  readonly room: Room;
  readonly reply: Reply;
  /** The display name of the person it answers; a notice has none. */
  readonly to: string | undefined;
  /** Answers go out before notices where a network makes lines wait. */
  readonly priority: "answer" | "notice";
  /** For the eyes of `to` alone, where a network can do that: a refusal to somebody who pressed a button. */
  readonly whisper?: boolean;
  /** The message that it answers, on networks with threads (`ChatMessage.thread`). */
  readonly thread?: string | undefined;
  /** What the network vouches for of `to` (`Speaker.account`): they are addressed, and nobody who only has that name. */
  readonly toAccount?: string | undefined;
  /** Names this delivery. Sent again after a doubt, it appears once on a network that can tell. */
  readonly id?: string | undefined;
}

/**
 * One chat network. Constructed connected or connecting; it reconnects for ever until it is disposed of.
 *
 * - `send` keeps the order of calls within one room and priority, and resolves only when the network has proven that it took
 *   every line. It rejects with a RuntimeError when the connection is or goes down first, and for a room that the bot is not
 *   in; the caller decides whether to send again. It never throws anything else and never queues over a lost connection.
 * - `progress`, where there is one, shows the present state of a build in a room where something can change in place. It is a
 *   courtesy: it may be dropped, it proves nothing, and a later `send` of a reply with the same key takes its place. `undefined` clears it.
 * - Listeners are called in the order of arrival, one message at a time; what they do is theirs to catch.
 */
export interface Chat extends AsyncDisposable {
  readonly network: NetworkName;
  readonly state: ChatState;
  send(outgoing: Outgoing): Promise<void>;
  progress?(room: Room, key: string, reply: Reply | undefined): void;
  /**
   * Calls back on every message that this network heard; returns the way to stop. Where the listener returns a promise, that
   * is when it has handled the message to its end: a network that keeps what was said until then waits for it.
   */
  onMessage(listener: (message: ChatMessage) => unknown): () => void;
  /** Calls back whenever `state` changed; returns the way to stop. */
  onState(listener: (state: ChatState) => void): () => void;
}
