/** How many bytes of text a line may have so that it reaches everybody whole. */
import type { Client } from "irc-framework";

/** RFC 1459, 2.3: with its CRLF. */
const LINE_BYTES = 512;
/** What a server may give us at most while it has not shown us: `~`, ten of user, `@`, 63 of host. */
const LONGEST_USER_AND_HOST = 1 + 10 + 1 + 63;

export class LineLimit {
  readonly #client: Client;
  #user: string | undefined;
  #host: string | undefined;

  constructor(client: Client) {
    this.#client = client;
    client.on("join", ({ nick, ident, hostname }) => {
      if (!client.caseCompare(nick, client.user.nick)) return;
      this.#user = ident;
      this.#host = hostname;
    });
    // A cloak is put on or taken off (RPL_HOSTHIDDEN): some servers show only the host, some user@host.
    client.connection.on("message", ({ command, params }) => {
      if (command === "396") this.#host = undefined;
      if (command === "396" && params[1]?.includes("@") === false) this.#host = params[1];
    });
  }

  reset(): void {
    this.#user = undefined;
    this.#host = undefined;
  }

  /** The server puts `:nick!user@host ` before our line, and cuts what is then too long. */
  bytesFor(target: string): number {
    const known = this.#user !== undefined && this.#host !== undefined;
    const userAndHost = known ? Buffer.byteLength(`${this.#user}@${this.#host}`) : LONGEST_USER_AND_HOST;
    const prefix = Buffer.byteLength(`:${this.#client.user.nick}! `) + userAndHost;
    return LINE_BYTES - prefix - Buffer.byteLength(`PRIVMSG ${target} :\r\n`);
  }
}
