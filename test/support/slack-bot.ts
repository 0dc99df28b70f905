/** The adapter under test, connected to a test's server, with what it heard and the states it went through. */
import { pino } from "pino";
import {
  connectSlack,
  type LeftOver,
  type Posted,
  type SlackDeps,
  type SlackJournal,
  type SlackMemory,
  type SlackOptions,
  type SlackTiming,
} from "../../adapters/slack/index.ts";
import type { Chat, ChatState, Outgoing } from "../../src/chat/chat.ts";
import type { ChatMessage, Room } from "../../src/chat/message.ts";
import { type Reply, say } from "../../src/chat/reply.ts";
import { NetworkName } from "../../src/names.ts";
import { type Slack, TOKENS } from "./slack-server.ts";
import { waitFor } from "./wait-for.ts";

export const network = NetworkName.parse("work");
export const dev: Room = { network, kind: "channel", name: "C1" };

/** Each wait short enough to be sat out in a test. */
const QUICK: Partial<SlackTiming> = {
  callTimeoutMs: 400,
  helloTimeoutMs: 400,
  reconnectMinMs: 50,
  reconnectMaxMs: 200,
  loginRetryMs: 200,
  proofMs: 200,
  pongTimeoutMs: 600,
  callRetryMs: 20,
  editGapMs: 150,
  anyEditGapMs: 50,
};

/** What Redis would keep. */
function memoryInMemory(): SlackMemory & { readonly posted: Map<string, Posted> } {
  const seen = new Set<string>();
  const posted = new Map<string, Posted>();
  return {
    posted,
    async firstTime(id) {
      const first = !seen.has(id);
      seen.add(id);
      return first;
    },
    get: async (room, key) => posted.get(`${room} ${key}`),
    async set(room, key, value) {
      posted.set(`${room} ${key}`, value);
    },
  };
}

/** What Redis would keep of the messages; `left` is what another process left. */
export function journalInMemory(left: readonly LeftOver[] = []): SlackJournal & { readonly written: Set<string> } {
  const seen = new Set<string>();
  const written = new Set<string>();
  return {
    written,
    async write({ ids }) {
      const known = ids.some((id) => seen.has(id));
      for (const id of ids) seen.add(id);
      if (!known) written.add(ids.at(-1) ?? "");
      return known ? "known" : "written";
    },
    async crossOff(ids) {
      for (const id of ids) written.delete(id);
    },
    leftOver: async () => left,
  };
}

export interface SlackBot extends AsyncDisposable {
  readonly chat: Chat;
  readonly heard: readonly ChatMessage[];
  readonly states: readonly ChatState[];
  connected(): Promise<void>;
  away(reason: RegExp): Promise<void>;
  /** The next message that it heard, beginning after the one this gave last. */
  hear(): Promise<ChatMessage>;
  send(reply: Reply | string, more?: Partial<Outgoing>): Promise<void>;
}

export interface SlackBotOptions {
  readonly options?: Partial<SlackOptions>;
  readonly timing?: Partial<SlackTiming>;
  readonly deps?: Partial<SlackDeps>;
}

export function startSlackBot(slack: Pick<Slack, "apiUrl">, { options, timing, deps }: SlackBotOptions = {}): SlackBot {
  const chat = connectSlack(
    {
      name: network,
      botToken: TOKENS.bot,
      appToken: TOKENS.app,
      apiUrl: slack.apiUrl,
      channels: [],
      version: "docker-ci/test",
      ...options,
    },
    {
      log: pino({ level: "silent" }),
      memory: memoryInMemory(),
      journal: journalInMemory(),
      ...deps,
      timing: { ...QUICK, ...timing },
    },
  );
  const heard: ChatMessage[] = [];
  const states: ChatState[] = [chat.state];
  chat.onMessage((message) => heard.push(message));
  chat.onState((state) => states.push(state));
  let next = 0;
  const seen = (): string => JSON.stringify(states.slice(-4));
  return {
    chat,
    heard,
    states,
    async connected() {
      await waitFor("the bot in Slack", () => chat.state.kind === "connected", { everyMs: 5, seen });
    },
    async away(reason) {
      const matches = (state: ChatState): boolean => state.kind === "away" && reason.test(state.reason);
      await waitFor(`away: ${reason}`, () => matches(chat.state), { everyMs: 5, seen });
    },
    async hear() {
      const message = await waitFor("a message", () => heard[next], { everyMs: 5, seen: () => JSON.stringify(heard) });
      next += 1;
      return message;
    },
    send: (reply, more = {}) =>
      chat.send({
        room: dev,
        to: undefined,
        priority: "notice",
        reply: typeof reply === "string" ? say("info", [reply]) : reply,
        ...more,
      }),
    [Symbol.asyncDispose]: () => chat[Symbol.asyncDispose](),
  };
}
