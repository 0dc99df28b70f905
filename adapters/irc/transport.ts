/**
 * The socket under irc-framework. The library's own knows no private authority, and waits 40 ms on every second line for
 * Nagle's algorithm; this one also is the last gate for line breaks in what we send.
 */
import { EventEmitter } from "node:events";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Transport } from "irc-framework";

export interface SocketOptions {
  readonly host: string;
  readonly port: number;
  readonly tlsOptions: false | { readonly rejectUnauthorized: boolean; readonly ca?: string };
  /** How long a server that was reached may take to shake hands. */
  readonly tlsTimeoutMs: number;
}

/** The server was reached, and says nothing to who begins with TLS: most often the port is one without it. */
export class NoTlsError extends Error {}

/** Tags may take 8191 bytes and a line 512; whoever sends more without a line break is no IRC server. */
const LONGEST_LINE = 64 * 1024;

export class SocketTransport extends EventEmitter implements Transport {
  readonly #options: SocketOptions;
  #socket: Socket | undefined;
  #open = false;
  #handshake: NodeJS.Timeout | undefined;

  constructor(options: SocketOptions) {
    super();
    this.#options = options;
  }

  connect(): void {
    this.disposeSocket();
    const { host, port, tlsOptions, tlsTimeoutMs } = this.#options;
    // A server name that is an address may not be sent (RFC 6066, 3).
    const servername = isIP(host) === 0 ? { servername: host } : {};
    const socket =
      tlsOptions === false ? connect({ host, port }) : connectTls({ host, port, ...servername, ...tlsOptions });
    this.#socket = socket;
    let error: Error | undefined;
    socket.setNoDelay(true);
    socket.setEncoding("utf8");
    if (tlsOptions !== false) {
      socket.once("connect", () => {
        this.#handshake = setTimeout(() => socket.destroy(new NoTlsError()), tlsTimeoutMs);
      });
    }
    socket.on(tlsOptions === false ? "connect" : "secureConnect", () => {
      clearTimeout(this.#handshake);
      this.#open = true;
      this.emit("open");
    });
    socket.on("error", (cause) => {
      const isNoTls = "code" in cause && cause.code === "ERR_SSL_WRONG_VERSION_NUMBER";
      error = isNoTls ? new NoTlsError(cause.message, { cause }) : cause;
    });
    socket.on("close", () => {
      clearTimeout(this.#handshake);
      this.#open = false;
      this.emit("close", error ?? false);
    });
    socket.on("data", this.#lines(socket));
  }

  isConnected(): boolean {
    return this.#open;
  }

  writeLine(line: string, done?: () => void): void {
    if (this.#socket === undefined || !this.#open) {
      if (done !== undefined) process.nextTick(done);
      return;
    }
    // Each of these ends a line, and with it what we meant to say.
    this.#socket.write(`${line.replace(/[\r\n\0]+/g, " ")}\r\n`, () => done?.());
  }

  close(force = false): void {
    if (force || !this.#open) this.#socket?.destroy();
    else this.#socket?.end();
  }

  disposeSocket(): void {
    clearTimeout(this.#handshake);
    this.#socket?.removeAllListeners();
    // A socket that is destroyed may still report an error, which nobody has to know.
    this.#socket?.on("error", () => undefined);
    this.#socket?.destroy();
    this.#socket = undefined;
    this.#open = false;
  }

  /** Always UTF-8. */
  setEncoding(encoding: string): boolean {
    return encoding === "utf8";
  }

  #lines(socket: Socket): (chunk: unknown) => void {
    let rest = "";
    return (chunk) => {
      const lines = (rest + String(chunk)).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > LONGEST_LINE) socket.destroy(new Error("the server sends lines without an end"));
      for (const line of lines) this.emit("line", line);
    };
  }
}
