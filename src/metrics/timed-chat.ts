/** A chat whose answers are timed. */
import type { Chat } from "../chat/chat.ts";
import type { Meters } from "./meters.ts";

/** The same chat, with every `send` measured until the network has proven that it took the message. */
export function timedChat(chat: Chat, { roundTripS, chatFailures }: Pick<Meters, "roundTripS" | "chatFailures">): Chat {
  const { network } = chat;
  // There from the start, so that a network that never answers shows too.
  chatFailures.inc({ network }, 0);
  return {
    network,
    get state() {
      return chat.state;
    },
    async send(outgoing) {
      const took = roundTripS.startTimer({ network });
      try {
        await chat.send(outgoing);
      } catch (error) {
        chatFailures.inc({ network });
        throw error;
      }
      took();
    },
    ...(chat.progress === undefined ? {} : { progress: (room, key, reply) => chat.progress?.(room, key, reply) }),
    onMessage: (listener) => chat.onMessage(listener),
    onState: (listener) => chat.onState(listener),
    [Symbol.asyncDispose]: () => chat[Symbol.asyncDispose](),
  };
}
