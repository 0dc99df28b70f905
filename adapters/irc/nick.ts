/** Our nick: another one while it is taken, and back to it as soon as it is free. */
import type { Client, IrcMessage } from "irc-framework";

/** What every server takes (RFC 2812, 1.2.1); most take more. */
const SHORT = 9;

export class Nick {
  readonly #client: Client;
  readonly #wanted: string;
  readonly #regainMs: number;
  #registered = false;
  #tries = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(client: Client, wanted: string, regainMs: number) {
    this.#client = client;
    this.#wanted = wanted;
    this.#regainMs = regainMs;
    client.on("nick in use", () => this.#taken());
    client.on("nick invalid", ({ nick }) => {
      if (!client.caseCompare(nick, wanted)) this.#taken(SHORT);
    });
    client.connection.on("message", (message) => this.#heard(message));
    // The library tells of a new nick before it takes note of it itself, so `client.user.nick` is still the old one here.
    client.on("registered", ({ nick }) => {
      this.#registered = true;
      this.#has(nick);
    });
    // The holder leaves or renames himself where we can see it: take it before anybody else does.
    client.on("quit", ({ nick }) => this.#freed(nick));
    client.on("nick", ({ nick, new_nick }) => {
      if (client.caseCompare(nick, client.user.nick)) this.#has(new_nick);
      else this.#freed(nick);
    });
  }

  /** The connection is gone; the next one begins with the wanted nick. */
  reset(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#registered = false;
    this.#tries = 0;
  }

  /** 437: services hold the nick back for its owner. */
  #heard({ command, params }: IrcMessage): void {
    if (command === "437" && this.#client.caseCompare(params[1] ?? "", this.#wanted)) this.#taken();
  }

  #taken(length = Number.POSITIVE_INFINITY): void {
    if (this.#registered) return; // a try to regain it; the next one comes by itself
    this.#tries += 1;
    // A server that cuts nicks would give the same one for ever, so the end changes too.
    const spare = `${this.#wanted.slice(0, 6)}${Math.floor(Math.random() * 1000)}`;
    const tail = "_".repeat(this.#tries);
    this.#client.changeNick(this.#tries <= 3 ? this.#wanted.slice(0, length - tail.length) + tail : spare);
  }

  #has(nick: string): void {
    clearInterval(this.#timer);
    const ours = this.#client.caseCompare(nick, this.#wanted);
    this.#timer = ours ? undefined : setInterval(() => this.#regain(), this.#regainMs);
  }

  #freed(nick: string): void {
    if (this.#timer !== undefined && this.#client.caseCompare(nick, this.#wanted)) this.#regain();
  }

  #regain(): void {
    this.#client.changeNick(this.#wanted);
  }
}
