/** Addresses of our own machine's sockets: where the page listens, where Redis and the engine are. */
import { scalar } from "./scalars.ts";
import { Secret } from "./secret.ts";

export interface Listen {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

/** A bare port means every address: whoever writes one into the file wants to be reached. */
export const listen = scalar('a port such as 8000, or an address with a port such as "127.0.0.1:8000"', (value) => {
  const match = /^(?:(\[[0-9a-f:.]+\]|[A-Za-z0-9._-]+|\*):)?(\d{1,5})$/i.exec(value);
  const port = Number(match?.[2] ?? Number.NaN);
  if (match === null || port > 65535) return undefined;
  const host = match[1]?.replace(/^\[|\]$/g, "") ?? "*";
  return { host: host === "*" ? "0.0.0.0" : host, port };
});

/** Files in PEM, absolute. Of the client both or none. */
export interface RedisCertificates {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** Redis of our own inside the data folder, or one that is given. */
export type RedisConfig =
  | { readonly kind: "embedded" }
  | { readonly kind: "url"; readonly url: Secret; readonly tls?: RedisCertificates };

/** A secret as a whole: the password stands in it. */
export const redisUrl = scalar("an address such as redis://:password@host:6379/0", (value): RedisConfig | undefined =>
  /^(?:rediss?:\/\/[^\s/]|unix:\/\/\/)/.test(value) && URL.canParse(value)
    ? { kind: "url", url: new Secret(value) }
    : undefined,
);

export const engineAddress = scalar(
  "a Docker Engine such as unix:///var/run/docker.sock or tcp://10.0.0.5:2376",
  (value) => (/^(?:unix:\/\/\/|npipe:\/\/|(?:tcp|https?|ssh):\/\/[^\s/])\S*$/.test(value) ? value : undefined),
);
