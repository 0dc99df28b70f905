/** Takes what the chats hear to the dispatcher: from the first moment on, and in order where order matters. */
import { setTimeout as sleep } from "node:timers/promises";
import { deferred } from "../lifecycle.ts";
import type { Chat } from "./chat.ts";
import type { Dispatcher } from "./dispatch.ts";
import { type ChatMessage, roomKey } from "./message.ts";

export interface Hearing {
  /** Hears this chat from now on. */
  listen(chat: Chat): void;
  /** Messages heard so far and from now on go to this dispatcher. */
  answerWith(dispatcher: Dispatcher): void;
  /** How many commands of that network were refused or failed. */
  refusals(network: string): number;
  /** Resolves when no message of that network is being answered. */
  quiet(network: string): Promise<void>;
}

/** What one person says in one room is answered in its order; others do not wait for it. */
export function hearChats(): Hearing {
  const ready = deferred<Dispatcher>();
  const turns = new Map<string, Promise<void>>();
  const answering = new Map<string, number>();
  const refused = new Map<string, number>();
  const count = (counts: Map<string, number>, network: string, change: number): void => {
    counts.set(network, (counts.get(network) ?? 0) + change);
  };

  const answer = async (message: ChatMessage, chat: Chat): Promise<void> => {
    const dispatcher = await ready.promise;
    const handled = await dispatcher.handle(message, chat);
    if (handled === "refused" || handled === "failed") count(refused, chat.network, 1);
  };
  const hear = async (message: ChatMessage, chat: Chat): Promise<void> => {
    const who = `${roomKey(message.room)} ${message.speaker.displayName}`;
    count(answering, chat.network, 1);
    const turn = (turns.get(who) ?? Promise.resolve()).then(() => answer(message, chat));
    turns.set(who, turn);
    try {
      await turn;
    } finally {
      count(answering, chat.network, -1);
      if (turns.get(who) === turn) turns.delete(who);
    }
  };

  return {
    listen(chat) {
      chat.onMessage((message) => hear(message, chat));
    },
    answerWith: ready.resolve,
    refusals: (network) => refused.get(network) ?? 0,
    async quiet(network) {
      while ((answering.get(network) ?? 0) > 0) await sleep(10);
    },
  };
}
