/** `web:` — who may do what on the page and over the API, and how they show who they are. */
import { BlockList, isIP } from "node:net";
import { z } from "zod";
import { flag, mapping, oneOrMany, scalar, secret, section, textLike } from "./scalars.ts";
import type { Secret } from "./secret.ts";

export interface WebConfig {
  /** The name and password of HTTP's basic authentication; both or none. */
  readonly user: string | undefined;
  readonly password: Secret | undefined;
  /** Names to bearer tokens, for programs. */
  readonly tokens: ReadonlyMap<string, Secret>;
  /** Whether nothing but what says that docker-ci is well is shown to who is not logged in. */
  readonly private: boolean;
  readonly trustedProxy: TrustedProxy | undefined;
}

/** A server in front that is believed: where a request came from, and who sent it. */
export interface TrustedProxy {
  /** As written, for showing. */
  readonly addresses: readonly string[];
  /** Names the header in which it says who is logged in; undefined for one that logs nobody in. */
  readonly header: string | undefined;
  /** Whether an address is the proxy's. */
  includes(address: string): boolean;
}

const TOKEN_LENGTH = 16;

/** An address, or a network such as 10.0.0.0/8. */
const range = scalar("an address such as 127.0.0.1 or 10.0.0.0/8", (value) => {
  const [address = "", bits, ...rest] = value.split("/");
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return undefined;
  if (bits === undefined) return value;
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128) ? value : undefined;
});

const trustedProxy = section({
  addresses: oneOrMany(range, "addresses such as 127.0.0.1 or 10.0.0.0/8"),
  header: textLike(/^[A-Za-z][A-Za-z0-9-]{0,63}$/, "a header such as X-Forwarded-User").optional(),
}).transform(({ addresses, header }): TrustedProxy => {
  const known = new BlockList();
  for (const written of addresses) {
    const [address = "", bits] = written.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (bits === undefined) known.addAddress(address, family);
    else known.addSubnet(address, Number(bits), family);
  }
  return {
    addresses,
    header,
    includes: (address) => isIP(address) !== 0 && known.check(address, isIP(address) === 6 ? "ipv6" : "ipv4"),
  };
});

/** What a person is called on the page: by basic authentication, or by the proxy. A colon would end it in the former. */
export const webName = textLike(/^[^\s:\p{Cc}]{1,64}$/u, "a name without spaces and colons, at most 64 characters");

const tokenName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "letters, digits, '.', '_' and '-', at most 64");
const token = secret.refine((value) => value.reveal().length >= TOKEN_LENGTH, {
  error: `a token of at least ${TOKEN_LENGTH} characters`,
});

export const web = section({
  user: webName.optional(),
  password: secret.optional(),
  tokens: mapping(tokenName, token, "a mapping of names to tokens").prefault({}),
  private: flag.default(false),
  trusted_proxy: trustedProxy.optional(),
}).transform(
  (written): WebConfig => ({
    user: written.user,
    password: written.password,
    tokens: new Map(Object.entries(written.tokens)),
    private: written.private,
    trustedProxy: written.trusted_proxy,
  }),
);
