/** The part of irc-framework 4.14 that this adapter uses; the package brings no typings of its own. */
declare module "irc-framework" {
  import type { EventEmitter } from "node:events";

  /** One line from the server, parsed. `params` are without the leading colon. */
  export interface IrcMessage {
    readonly command: string;
    readonly params: readonly string[];
    readonly tags: Readonly<Record<string, string>>;
    readonly nick: string;
    readonly ident: string;
    readonly hostname: string;
  }

  interface FromUser {
    readonly nick: string;
    readonly ident: string;
    readonly hostname: string;
  }

  export interface PrivmsgEvent extends FromUser {
    readonly target: string;
    readonly message: string;
    readonly tags: Readonly<Record<string, string>>;
    /** `server-time` in milliseconds. */
    readonly time?: number;
    readonly account?: string;
    readonly batch?: { readonly id: string; readonly type: string };
  }

  export interface ClientEvents {
    registered: { readonly nick: string };
    loggedin: { readonly account: string };
    "sasl failed": { readonly reason: string; readonly message?: string };
    "nick in use": { readonly nick: string };
    "nick invalid": { readonly nick: string; readonly reason: string };
    "irc error": { readonly error: string; readonly reason?: string };
    /** The socket's error, or false. Always followed by `close`. */
    "socket close": Error | false;
    "socket connected": undefined;
    close: boolean;
    "ping timeout": undefined;
    privmsg: PrivmsgEvent;
    /** `/me pokes docker-ci`: CTCP ACTION, without its frame. */
    action: PrivmsgEvent;
    "ctcp request": FromUser & { readonly type: string | null };
    join: FromUser & { readonly channel: string; readonly account?: string | false };
    part: FromUser & { readonly channel: string };
    kick: FromUser & { readonly channel: string; readonly kicked: string; readonly message: string };
    quit: FromUser;
    nick: FromUser & { readonly new_nick: string };
    account: FromUser & { readonly account: string | false };
    invite: FromUser & { readonly invited: string; readonly channel: string };
    userlist: { readonly channel: string; readonly users: readonly { readonly nick: string }[] };
  }

  /** What the library asks of a transport; it emits `open`, `line` and `close`. */
  export interface Transport extends EventEmitter {
    connect(): void;
    isConnected(): boolean;
    writeLine(line: string, done?: () => void): void;
    close(force?: boolean): void;
    disposeSocket(): void;
    setEncoding(encoding: string): boolean;
  }

  export interface ClientOptions {
    readonly host: string;
    readonly port: number;
    readonly nick: string;
    readonly username: string;
    readonly gecos: string;
    readonly version: string;
    readonly auto_reconnect: boolean;
    /** Seconds, fractions allowed. */
    readonly ping_interval: number;
    readonly ping_timeout: number;
    readonly enable_echomessage: boolean;
    readonly sasl_disconnect_on_fail: boolean;
    /** Sent as PASS. */
    readonly password?: string;
    /** An empty object keeps `password` from being used as a SASL password. */
    readonly account: { readonly account?: string; readonly password?: string };
    /** Called with these same options for every connection. */
    readonly transport: new (
      options: never,
    ) => Transport;
  }

  export class Client {
    constructor(options: ClientOptions);
    readonly user: { readonly nick: string };
    readonly network: {
      readonly cap: { isEnabled(name: string): boolean; readonly available: ReadonlyMap<string, string> };
      /** A value of ISUPPORT; true for one without a value. */
      supports(name: string): unknown;
      isChannelName(name: string): boolean;
      /** Milliseconds by which the server's clock is ahead of ours, as its answers to PING tell. */
      getServerTimeOffset(): number;
    };
    readonly connection: {
      /** Writes a last line and closes the socket, at once when `hadError`. */
      end(line: string | undefined, hadError?: boolean): void;
      on(event: "message", listener: (message: IrcMessage) => void): unknown;
    };
    readonly connected: boolean;
    on<Event extends keyof ClientEvents>(event: Event, listener: (event: ClientEvents[Event]) => void): this;
    connect(): void;
    requestCap(names: readonly string[]): void;
    /** Writes one line as it is: nothing is escaped. */
    raw(line: string): void;
    changeNick(nick: string): void;
    caseCompare(a: string, b: string): boolean;
    caseLower(text: string): string;
  }
}
