/** Where a gateway's Redis is. */
import { Secret } from "../../src/config/secret.ts";

export const REDIS_EXAMPLES = "a Redis such as 10.0.0.5:6379 or redis://:password@10.0.0.5:6379/0";

export type RedisAddress =
  | {
      readonly kind: "plain";
      readonly host: string;
      readonly port: number;
      /** Reached from that host itself, through ssh. */
      readonly ssh?: { readonly user: string | undefined };
    }
  | { readonly kind: "url"; readonly url: Secret; readonly shown: string };

export function parseRedisAddress(text: string): RedisAddress | undefined {
  const [, plain, port] = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*)(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (plain !== undefined) return { kind: "plain", host: plain.replace(/^\[|\]$/g, ""), port: Number(port ?? 6379) };
  if (!/^rediss?:\/\//.test(text) || !URL.canParse(text)) return undefined;
  const { protocol, host } = new URL(text);
  return host === "" ? undefined : { kind: "url", url: new Secret(text), shown: `${protocol}//${host}` };
}

/** Without what is secret in it. */
export function shownAddress(address: RedisAddress): string {
  return address.kind === "url" ? address.shown : `${address.host}:${address.port}`;
}
