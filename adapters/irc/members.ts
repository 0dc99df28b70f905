/** Who is in a channel with us. Only of them do we see that they leave or rename themselves. */
import type { Client } from "irc-framework";

export class Members {
  readonly #client: Client;
  /** Channels that we share, by nick; both in lower case. */
  readonly #shared = new Map<string, Set<string>>();

  /** @param gone called with the nick of somebody who left, went out of sight or took another name. */
  constructor(client: Client, gone: (nick: string) => void) {
    this.#client = client;
    const forget = (nick: string): void => {
      this.#shared.delete(client.caseLower(nick));
      gone(nick);
    };
    client.on("userlist", ({ channel, users }) => {
      for (const { nick } of users) this.#add(nick, channel);
    });
    client.on("join", ({ nick, channel }) => this.#add(nick, channel));
    client.on("part", ({ nick, channel }) => this.#remove(nick, channel, forget));
    client.on("kick", ({ kicked, channel }) => this.#remove(kicked, channel, forget));
    client.on("quit", ({ nick }) => forget(nick));
    client.on("nick", ({ nick, new_nick }) => {
      const channels = this.#shared.get(client.caseLower(nick));
      forget(nick);
      gone(new_nick);
      if (channels !== undefined) this.#shared.set(client.caseLower(new_nick), channels);
    });
  }

  has(nick: string): boolean {
    return this.#shared.has(this.#client.caseLower(nick));
  }

  clear(): void {
    this.#shared.clear();
  }

  #add(nick: string, channel: string): void {
    const key = this.#client.caseLower(nick);
    const channels = this.#shared.get(key) ?? new Set();
    channels.add(this.#client.caseLower(channel));
    this.#shared.set(key, channels);
  }

  #remove(nick: string, channel: string, forget: (nick: string) => void): void {
    const left = this.#client.caseLower(channel);
    // When it is we who leave, everybody in that channel is out of sight, as far as we share no other.
    const isMe = this.#client.caseCompare(nick, this.#client.user.nick);
    const leaving = isMe ? [...this.#shared.keys()] : [this.#client.caseLower(nick)];
    for (const key of leaving) {
      const channels = this.#shared.get(key);
      channels?.delete(left);
      if (channels?.size === 0) forget(key);
    }
  }
}
