/** IRC, by irc-framework; reconnection, pacing and proof of delivery are ours, because the library has none. */
import { Client } from "irc-framework";
import type { Chat } from "../../src/chat/chat.ts";
import { answerVersion } from "./ctcp.ts";
import { IrcChat } from "./irc-chat.ts";
import { DEFAULT_TIMING, type IrcDeps, type IrcOptions } from "./options.ts";
import { SocketTransport } from "./transport.ts";

export { fromConfig } from "./from-config.ts";
export {
  type IrcDeps,
  type IrcOptions,
  type IrcTiming,
  parseChannel,
} from "./options.ts";
export { unpinged } from "./text.ts";

/** Begins to connect and returns at once; `state` and `onState` tell how it goes. */
export function connectIrc(options: IrcOptions, { log, random = Math.random, timing: given }: IrcDeps): Chat {
  const timing = { ...DEFAULT_TIMING, ...given };
  const { host, port, tls } = options;
  const client = new Client({
    host,
    port,
    nick: options.nick,
    // What services and people see as user; servers take ten characters at most, and no other signs.
    username: options.nick.replace(/[^\w-]/g, "").slice(0, 10) || "docker-ci",
    gecos: options.realname ?? "docker-ci",
    version: "", // answered by ctcp.ts
    auto_reconnect: false,
    ping_interval: timing.pingIntervalMs / 1000,
    ping_timeout: timing.pingTimeoutMs / 1000,
    enable_echomessage: true,
    sasl_disconnect_on_fail: true,
    // Without an account it is the server's password (RFC 2812, 3.1.1), and goes nowhere else.
    ...(options.account === undefined && options.password !== undefined ? { password: options.password } : {}),
    account:
      options.account === undefined
        ? {}
        : { account: options.account, ...(options.password === undefined ? {} : { password: options.password }) },
    transport: class extends SocketTransport {
      constructor() {
        super({ host, port, tlsOptions: tls, tlsTimeoutMs: timing.tlsTimeoutMs });
      }
    },
  });
  client.requestCap(["labeled-response"]);
  answerVersion(client, options.version);
  const chat = new IrcChat(client, options, timing, random, log.child({ network: options.name }));
  chat.open();
  return chat;
}
