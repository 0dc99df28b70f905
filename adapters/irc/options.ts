/** What one IRC network needs to know, and how long things may take on it. */
import type { Logger } from "pino";
import type { NetworkName } from "../../src/names.ts";

export interface IrcChannel {
  /** With its leading `#`, in lower case. */
  readonly name: string;
  readonly key?: string;
}

export interface IrcOptions {
  readonly name: NetworkName;
  readonly host: string;
  readonly port: number;
  /** `ca` is PEM text of the authority to trust in place of the public ones. */
  readonly tls: false | { readonly rejectUnauthorized: boolean; readonly ca?: string };
  readonly nick: string;
  /** The services account for SASL PLAIN; without it `password` is the server's. */
  readonly account?: string;
  readonly password?: string;
  readonly channels: readonly IrcChannel[];
  readonly colours: boolean;
  /** How many lines may go out at once, and how many a second after that. */
  readonly pace: { readonly burst: number; readonly perSecond: number };
  readonly realname?: string;
  /** Answered to CTCP VERSION. */
  readonly version: string;
}

export interface IrcTiming {
  /** From the start of a connection until the server has let us in. */
  readonly registerTimeoutMs: number;
  /** Of that, from when the server is reached until it has shaken hands. */
  readonly tlsTimeoutMs: number;
  /** Bounds of the wait between connections; see `backoff.ts`. */
  readonly reconnectMinMs: number;
  readonly reconnectMaxMs: number;
  /** Between tries after the services refused our password. */
  readonly loginRetryMs: number;
  /** Without a word from the server: when to ask for one, and when to give it up. */
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  readonly nickRegainMs: number;
  readonly rejoinMs: number;
  readonly joinRetryMs: number;
  /** How long a written line may stay unproven; longer than a server's throttle holds back a burst. */
  readonly proofTimeoutMs: number;
  /** How long a message may wait for its speaker's account. */
  readonly accountTimeoutMs: number;
}

export const DEFAULT_TIMING: IrcTiming = {
  registerTimeoutMs: 20_000,
  tlsTimeoutMs: 10_000,
  reconnectMinMs: 800,
  reconnectMaxMs: 60_000,
  loginRetryMs: 60_000,
  pingIntervalMs: 30_000,
  pingTimeoutMs: 60_000,
  nickRegainMs: 30_000,
  rejoinMs: 5_000,
  joinRetryMs: 60_000,
  proofTimeoutMs: 60_000,
  accountTimeoutMs: 5_000,
};

export interface IrcDeps {
  readonly log: Logger;
  /** 0 to 1, for jitter; default `Math.random`. */
  readonly random?: () => number;
  readonly timing?: Partial<IrcTiming>;
}

/**
 * A channel as people write it, `#docker-dev`, `docker-dev` or `docker-dev key`. Undefined for what no network takes as a
 * name (RFC 2812, 1.3). ASCII letters are lowered, which is right in every casemapping, so that one channel has one name.
 */
export function parseChannel(text: string): IrcChannel | undefined {
  const [word = "", key, ...rest] = text.trim().split(/\s+/);
  if (rest.length > 0 || key?.startsWith(":") === true || key?.includes(",") === true) return undefined;
  const name = (/^[#&+!]/.test(word) ? word : `#${word}`).replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  if (name.length < 2 || name.length > 64 || /[,\p{Cc}]/u.test(name)) return undefined;
  return key === undefined ? { name } : { name, key };
}
