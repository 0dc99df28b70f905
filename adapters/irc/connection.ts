/** The connection to one network: made, watched, and made again for ever. */
import type { Client } from "irc-framework";
import { type Failure, reconnectDelayMs } from "./backoff.ts";
import type { IrcOptions, IrcTiming } from "./options.ts";
import { NoTlsError } from "./transport.ts";

/** The library's words for a login that the server never answered. */
const NO_LOGIN: Readonly<Record<string, string>> = {
  capability_missing: "the server offers none",
  unsupported_mechanism: "the server does not offer PLAIN",
};

/** A connection that lasted this long was welcome. */
const STABLE_MS = 60_000;

export interface ConnectionListener {
  /** The server has let us in. */
  up(): void;
  /** The connection ended, or could not be made; called for every try. */
  down(reason: string): void;
}

export class Connection {
  readonly #client: Client;
  readonly #options: IrcOptions;
  readonly #timing: IrcTiming;
  readonly #random: () => number;
  readonly #listener: ConnectionListener;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  /** No socket exists, not even one being opened. */
  #idle = true;
  #loggedIn = false;
  #downSince = Date.now();
  #upSince: number | undefined;
  #sentAway = 0;
  #failure: Failure = "unreachable";
  #reason: string | undefined;
  #onClose: (() => void) | undefined;

  constructor(
    client: Client,
    options: IrcOptions,
    timing: IrcTiming,
    random: () => number,
    listener: ConnectionListener,
  ) {
    this.#client = client;
    this.#options = options;
    this.#timing = timing;
    this.#random = random;
    this.#listener = listener;
    client.on("loggedin", () => {
      this.#loggedIn = true;
    });
    client.on("sasl failed", ({ reason, message }) => this.#loginFailed(message ?? NO_LOGIN[reason] ?? reason));
    client.on("nick invalid", ({ nick, reason }) => {
      // Of a nick that only stands in for the wanted one, a shorter form is tried (nick.ts).
      const wanted = client.caseCompare(nick, options.nick);
      if (wanted && this.#upSince === undefined)
        this.#drop(`the server does not take the nick ${nick}: ${reason}`, "refused");
    });
    client.on("irc error", ({ error, reason }) => {
      // 464, and the ERROR that servers send as their last line.
      if (error === "password_mismatch") this.#why(`the server refused us: ${reason ?? "wrong password"}`, "refused");
      if (error === "irc") this.#why(`the server sent us away: ${reason ?? "no reason"}`, "sent away");
    });
    client.on("ping timeout", () => {
      this.#drop(`the server was silent for ${Math.round(timing.pingTimeoutMs / 1000)} s`, "unreachable");
    });
    client.on("registered", () => this.#registered());
    client.on("socket close", (error) => {
      if (error !== false) this.#why(this.#wording(error), "unreachable");
    });
    client.on("close", () => this.#down());
  }

  open(): void {
    this.#idle = false;
    this.#loggedIn = false;
    this.#reason = undefined;
    this.#failure = "unreachable";
    const seconds = Math.round(this.#timing.registerTimeoutMs / 1000);
    this.#timer = setTimeout(
      () => this.#drop(`no answer within ${seconds} s`, "unreachable"),
      this.#timing.registerTimeoutMs,
    );
    this.#client.connect();
  }

  /** Says goodbye and closes; resolves when the socket is gone, after 2 s at the latest. */
  async close(goodbye: string): Promise<void> {
    const connected = this.#upSince !== undefined;
    this.#closed = true;
    this.#reason = "stopped";
    clearTimeout(this.#timer);
    const gone = new Promise<void>((resolve) => {
      this.#onClose = resolve;
    });
    if (this.#idle) return;
    this.#client.connection.end(connected ? `QUIT :${goodbye}` : undefined, !connected);
    this.#timer = setTimeout(() => this.#client.connection.end(undefined, true), 2_000);
    await gone;
    clearTimeout(this.#timer);
  }

  #registered(): void {
    clearTimeout(this.#timer);
    // The library tells of a failed login only where the server offers one and finishes it.
    if (this.#options.account !== undefined && !this.#loggedIn) {
      this.#loginFailed("the server offers none");
      return;
    }
    this.#upSince = Date.now();
    this.#listener.up();
  }

  #loginFailed(reason: string): void {
    this.#drop(`SASL login failed: ${reason}`, "refused");
  }

  /** A socket's error for people; when a name has several addresses, the error has no message at all. */
  #wording(error: Error): string {
    const { host, port } = this.#options;
    if (error instanceof NoTlsError) return `no TLS at ${host}:${port}; for a port without it say tls: false`;
    switch ("code" in error ? error.code : undefined) {
      case "ECONNREFUSED":
        return `${host}:${port} refuses connections`;
      case "ENOTFOUND":
      case "EAI_AGAIN":
        return `${host} cannot be found`;
      default:
        return error.message === "" ? String(error) : error.message;
    }
  }

  /** The first reason is the one that counts; what follows from it says less. */
  #why(reason: string, failure: Failure): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#failure = failure;
  }

  #drop(reason: string, failure: Failure): void {
    this.#why(reason, failure);
    this.#client.connection.end(undefined, true);
  }

  #down(): void {
    clearTimeout(this.#timer);
    this.#idle = true;
    if (this.#upSince !== undefined) {
      this.#downSince = Date.now();
      // Let in and sent away at once is what a ban looks like: that is no new start.
      if (this.#downSince - this.#upSince > STABLE_MS) this.#sentAway = 0;
    }
    this.#upSince = undefined;
    if (this.#failure === "sent away") this.#sentAway += 1;
    this.#listener.down(this.#reason ?? "the server closed the connection");
    if (this.#closed) {
      this.#onClose?.();
      return;
    }
    const outage = { failure: this.#failure, lastedMs: Date.now() - this.#downSince, sentAway: this.#sentAway };
    this.#timer = setTimeout(() => this.open(), reconnectDelayMs(outage, this.#timing, this.#random));
  }
}
