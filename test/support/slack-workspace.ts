/** A Slack workspace's contents: people, channels, messages. Knows no wire. */
import type { Body, View } from "./slack-blocks.ts";
import { shownText } from "./slack-blocks.ts";

export const BOT = { user: "UBOT", bot: "BBOT", name: "docker-ci", team: "T1" } as const;

export interface Message {
  readonly ts: string;
  readonly user: string;
  readonly thread: string | undefined;
  body: Body;
  /** As people read it. */
  shown: string;
  metadata: unknown;
  edits: number;
}

export interface Ephemeral {
  readonly channel: string;
  readonly user: string;
  readonly shown: string;
}

export interface Upload {
  readonly id: string;
  readonly filename: string;
  bytes: number;
  channel: string | undefined;
  thread: string | undefined;
}

export interface Channel {
  readonly id: string;
  readonly name: string;
  botIsMember: boolean;
  archived: boolean;
  readonly all: Message[];
}

export class Workspace {
  readonly channels = new Map<string, Channel>();
  readonly users = new Map([
    ["U1", "ada"],
    ["U2", "bob"],
    ["U3", "dan"],
    [BOT.user, BOT.name],
  ]);
  readonly ephemerals: Ephemeral[] = [];
  readonly files: Upload[] = [];
  /** Forms that were opened, in their order. */
  readonly views: (View & { readonly id: string; readonly user: string })[] = [];
  /** Whose press a form may be opened for. */
  readonly triggers = new Map<string, string>();
  #tick = 0;

  constructor() {
    this.addChannel("C1", "docker-dev");
    this.addChannel("D1", "", true);
  }

  addChannel(id: string, name: string, botIsMember = true): Channel {
    const channel: Channel = { id, name, botIsMember, archived: false, all: [] };
    this.channels.set(id, channel);
    return channel;
  }

  /** A channel's id for the direct messages with a user. */
  direct(user: string): string {
    return `D${user.slice(1)}`;
  }

  newTs(): string {
    this.#tick += 1;
    return `${Math.floor(Date.now() / 1000)}.${String(this.#tick).padStart(6, "0")}`;
  }

  add(channel: Channel, user: string, body: Body, thread: string | undefined, metadata: unknown): Message {
    const message = { ts: this.newTs(), user, thread, body, shown: shownText(body), metadata, edits: 0 };
    channel.all.push(message);
    return message;
  }

  find(channel: string, ts: string): Message | undefined {
    return this.channels.get(channel)?.all.find((message) => message.ts === ts);
  }
}
