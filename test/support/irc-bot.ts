/** The adapter under test, connected to a test's server, with what it heard and the states it went through. */
import { pino } from "pino";
import { connectIrc, type IrcOptions, type IrcTiming } from "../../adapters/irc/index.ts";
import type { Chat, ChatState } from "../../src/chat/chat.ts";
import type { ChatMessage, Room } from "../../src/chat/message.ts";
import { type Reply, say } from "../../src/chat/reply.ts";
import { NetworkName } from "../../src/names.ts";
import { waitFor } from "./wait-for.ts";

export interface Bot extends AsyncDisposable {
  readonly chat: Chat;
  readonly heard: readonly ChatMessage[];
  readonly states: readonly ChatState[];
  /** Waits until the bot is in all of these channels; by default the one it is configured with, `#ci`. */
  inRooms(...rooms: string[]): Promise<void>;
  /** Waits until it is away for a reason that matches. */
  away(reason: RegExp): Promise<void>;
  /** The next message that it heard, beginning after the one this gave last. */
  hear(): Promise<ChatMessage>;
  answer(to: string, reply: Reply | string, room?: Room): Promise<void>;
  notice(reply: Reply | string, room?: Room): Promise<void>;
}

/** What a bot in a hurry would use: each wait short enough to be sat out in a test. */
const QUICK: Partial<IrcTiming> = {
  reconnectMinMs: 200,
  nickRegainMs: 200,
  rejoinMs: 50,
  joinRetryMs: 300,
  loginRetryMs: 300,
};

export const network = NetworkName.parse("test");
export const ci: Room = { network, kind: "channel", name: "#ci" };

export function startBot(
  server: { readonly host: string; readonly port: number },
  options: Partial<IrcOptions> = {},
  timing: Partial<IrcTiming> = {},
): Bot {
  const all: IrcOptions = {
    name: network,
    host: server.host,
    port: server.port,
    tls: false,
    nick: "docker-ci",
    channels: [{ name: "#ci" }],
    colours: false,
    pace: { burst: 100, perSecond: 100 },
    version: "docker-ci test",
    ...options,
  };
  const chat = connectIrc(all, { log: pino({ level: "silent" }), timing: { ...QUICK, ...timing } });
  const heard: ChatMessage[] = [];
  const states: ChatState[] = [chat.state];
  chat.onMessage((message) => heard.push(message));
  chat.onState((state) => states.push(state));
  let next = 0;
  const send = (priority: "answer" | "notice", to: string | undefined, reply: Reply | string, room: Room) =>
    chat.send({ room, to, priority, reply: typeof reply === "string" ? say("info", [reply]) : reply });
  const seen = (): string => JSON.stringify(states.slice(-4));
  return {
    chat,
    heard,
    states,
    async inRooms(...rooms) {
      const wanted = rooms.length === 0 ? ["#ci"] : rooms;
      const there = (): boolean =>
        chat.state.kind === "connected" &&
        wanted.every((room) => chat.state.kind === "connected" && chat.state.rooms.includes(room));
      await waitFor(`the bot in ${wanted.join(", ")}`, there, { everyMs: 2, seen });
    },
    async away(reason) {
      const matches = (state: ChatState): boolean => state.kind === "away" && reason.test(state.reason);
      await waitFor(`away: ${reason}`, () => matches(chat.state), { everyMs: 2, seen });
    },
    async hear() {
      const message = await waitFor("a message", () => heard[next], { everyMs: 2, seen: () => JSON.stringify(heard) });
      next += 1;
      return message;
    },
    answer: (to, reply, room = ci) => send("answer", to, reply, room),
    notice: (reply, room = ci) => send("notice", undefined, reply, room),
    [Symbol.asyncDispose]: () => chat[Symbol.asyncDispose](),
  };
}
