/** Where a request came from. */
import { isIP } from "node:net";
import { getConnInfo } from "@hono/node-server/conninfo";
import type { Context } from "hono";
import type { TrustedProxy } from "../../config.ts";

/** The address at the other end of the connection; `unknown` where there is no connection. */
export function peerOf(c: Context): string {
  try {
    return plain(getConnInfo(c).remote.address ?? "unknown");
  } catch {
    // TypeError: the request was made inside of this process.
    return "unknown";
  }
}

/**
 * Whose request it is: the peer's, or, of one that a trusted proxy passed on, the last in `X-Forwarded-For` that is no proxy of
 * ours. What stands further left, the client itself may have written there.
 */
export function clientOf(c: Context, proxy: TrustedProxy | undefined): string {
  const peer = peerOf(c);
  if (proxy?.includes(peer) !== true) return peer;
  const hops = (c.req.header("x-forwarded-for") ?? "").split(",").map((hop) => plain(hop.trim()));
  const client = hops.findLast((hop) => !proxy.includes(hop));
  return client !== undefined && isIP(client) !== 0 ? client : peer;
}

/** An IPv4 address that came over an IPv6 socket is that address. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "");
}
