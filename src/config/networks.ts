/** `irc:` and `slack:` — the chat networks that the bot sits in. */
import { z } from "zod";
import { FORGE_NETWORK, NetworkName, TRIGGER_NETWORK, WEB_NETWORK } from "../names.ts";
import { type Role, roles } from "./people.ts";
import { amount, count, flag, httpUrl, list, port, scalar, secret, section, text, textLike } from "./scalars.ts";
import type { Secret } from "./secret.ts";

export interface IrcChannel {
  /** With its `#`. */
  readonly name: string;
  readonly key: string | undefined;
}

export interface IrcTls {
  readonly rejectUnauthorized: boolean;
  /** Path of a file with the certificates of a private authority, absolute. */
  readonly ca: string | undefined;
}

export interface IrcNetwork {
  readonly name: NetworkName;
  readonly host: string;
  readonly port: number;
  readonly tls: false | IrcTls;
  readonly nick: string;
  /** SASL PLAIN, with the password; without one the password is the server's. */
  readonly account: string | undefined;
  readonly password: Secret | undefined;
  readonly channels: readonly IrcChannel[];
  readonly colours: boolean;
  /** How fast lines go out: `burst` at once, then `perSecond`. */
  readonly pace: { readonly burst: number; readonly perSecond: number };
  /** `undefined`: as for every network. */
  readonly defaultRoles: readonly Role[] | undefined;
}

export interface SlackWorkspace {
  readonly name: NetworkName;
  readonly botToken: Secret;
  readonly appToken: Secret;
  /** With a slash at its end. */
  readonly apiUrl: string;
  readonly channels: readonly string[];
  readonly defaultRoles: readonly Role[] | undefined;
}

const networkName = scalar("a name of lower-case letters, digits, '_' and '-', at most 32", (value) =>
  // The terminal, mail, the page and the forges are networks too, and always have these names.
  ["console", "mail", FORGE_NETWORK, WEB_NETWORK, TRIGGER_NETWORK].includes(value)
    ? undefined
    : NetworkName.safeParse(value).data,
);

const CHANNEL =
  'a channel such as docker-dev or "#docker-dev" (in quotes, as # begins a comment), its key behind a space';

/** O-13: with or without its `#`, with a key behind a space. */
const channel = scalar(CHANNEL, (value): IrcChannel | undefined => {
  // RFC 2812, 1.3: no space, comma, colon, control-G, NUL, CR or LF; 50 characters, of which modern servers allow more.
  const match = /^([^\s,:\p{Cc}]{1,100})(?: +([^\s,:\p{Cc}]{1,100}))?$/u.exec(value.trim());
  if (match?.[1] === undefined) return undefined;
  return { name: /^[#&+!]/.test(match[1]) ? match[1] : `#${match[1]}`, key: match[2] };
});

const tls = z.union([flag, section({ ca: text("a path").optional(), reject_unauthorized: flag.default(true) })], {
  error: "true, false, or a mapping with the keys ca and reject_unauthorized",
});

const PLAIN_PORT = 6667;
const TLS_PORT = 6697;

export const ircNetwork = section({
  name: networkName,
  host: textLike(/^[A-Za-z0-9.:_-]{1,253}$/, "a host name or address"),
  port: port.optional(),
  tls: tls.optional(),
  // RFC 2812, 2.3.1, without its limit of nine characters.
  nick: textLike(/^[A-Za-z[\]\\`_^{|}][A-Za-z0-9[\]\\`_^{|}-]{0,29}$/, "a nick, beginning with a letter").default(
    "docker-ci",
  ),
  account: textLike(/^[^\s\p{Cc}]{1,100}$/u, "a services account").optional(),
  password: secret.optional(),
  channels: list(channel, "channels").default([]),
  colours: flag.default(true),
  pace: section({ burst: count(1, 100).default(5), per_second: amount(0.05, 100).default(0.5) }).prefault({}),
  default_roles: roles.optional(),
}).transform((written): IrcNetwork => {
  // The plain port by itself means a plain connection: TLS would only hang there.
  const wanted = written.tls ?? written.port !== PLAIN_PORT;
  return {
    name: written.name,
    host: written.host,
    port: written.port ?? (wanted === false ? PLAIN_PORT : TLS_PORT),
    tls: toTls(wanted),
    nick: written.nick,
    account: written.account,
    password: written.password,
    channels: written.channels,
    colours: written.colours,
    pace: { burst: written.pace.burst, perSecond: written.pace.per_second },
    defaultRoles: written.default_roles,
  };
});

function toTls(written: z.output<typeof tls>): false | IrcTls {
  if (written === false) return false;
  if (written === true) return { rejectUnauthorized: true, ca: undefined };
  return { rejectUnauthorized: written.reject_unauthorized, ca: written.ca };
}

export const slackWorkspace = section({
  name: networkName,
  bot_token: secret,
  app_token: secret,
  api_url: httpUrl.default("https://slack.com/api"),
  channels: list(textLike(/^[A-Z0-9]{1,32}$/, "a channel's id such as C0123456789"), "channel ids").default([]),
  default_roles: roles.optional(),
}).transform(
  (written): SlackWorkspace => ({
    name: written.name,
    botToken: written.bot_token,
    appToken: written.app_token,
    apiUrl: `${written.api_url}/`,
    channels: written.channels,
    defaultRoles: written.default_roles,
  }),
);
