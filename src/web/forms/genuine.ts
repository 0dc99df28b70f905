/**
 * Whether a request that changes something was made by who is logged in, and not by another site through their browser. A browser
 * sends a name and password by itself, whoever's page makes it, and a proxy vouches for whatever it lets through.
 */
import type { Context } from "hono";
import { same } from "../login/credentials.ts";
import type { Visitor } from "../login/visitor.ts";

/**
 * Of a form: it brings its visitor's token, and the browser does not say that it is another site's. `Origin` is `null` for our
 * own forms too, as pages tell nobody where a link came from (`Referrer-Policy: no-referrer`).
 */
export function isOwnForm(c: Context, visitor: Visitor, token: string, url: string): boolean {
  const origin = c.req.header("origin");
  return (
    isFetchedHere(c, ["same-origin"]) &&
    (origin === undefined || origin === "null" || isOrigin(c, origin, url)) &&
    same(token, visitor.formToken)
  );
}

/** Of a call: a script of this site, or no browser, which says neither. Browsers say it with every POST to another site. */
export function isOwnCall(c: Context, url: string): boolean {
  const origin = c.req.header("origin");
  return isFetchedHere(c, ["same-origin", "none"]) && (origin === undefined || isOrigin(c, origin, url));
}

function isFetchedHere(c: Context, allowed: readonly string[]): boolean {
  const site = c.req.header("sec-fetch-site");
  return site === undefined || allowed.includes(site);
}

/** Ours is the one people reach it under, or the one that was asked. */
function isOrigin(c: Context, origin: string, url: string): boolean {
  if (!URL.canParse(origin)) return false;
  return origin === new URL(url).origin || new URL(origin).host === c.req.header("host");
}
