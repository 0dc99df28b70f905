/**
 * Logging in: with every request, by HTTP's basic authentication, a token, or the word of a proxy in front. There is no session
 * and so nothing to steal or to end; browsers send what they were told once, to this site only, from any page though. Hence the
 * forms' tokens (forms/genuine.ts).
 */
import { type Context, Hono, type MiddlewareHandler } from "hono";
import type { Redis } from "ioredis";
import { apiError, type ErrorStatus } from "../api/error.ts";
import type { Frame, WebDeps } from "../deps.ts";
import { type Bar, MessagePage } from "../shell.tsx";
import { clientOf, peerOf } from "./address.ts";
import { checkCredentials, formToken, takesCredentials } from "./credentials.ts";
import { createFailures } from "./failures.ts";
import { createFormKey } from "./form-key.ts";
import { identifyWeb, type Login, type Visitor, visitorOf } from "./visitor.ts";

/** What a private page shows to anybody: whether it is well, and where signed hooks come in. */
const OPEN = /^\/(?:healthz|readyz|change_hook\/.+)$/;
const NAME = /^[^\s\p{Cc}]{1,64}$/u;
const REALM = "docker-ci";

/** Finds out who asks, and turns away who may not. To be mounted before everything else. */
export function requireLogin({
  config,
  clock,
  log,
  redis,
}: Pick<WebDeps, "config" | "clock" | "log"> & { readonly redis: Redis }): MiddlewareHandler {
  const { web } = config;
  const failures = createFailures(clock);
  const formKey = createFormKey(redis);

  async function enter(account: string, login: Login, address: string): Promise<Visitor> {
    const identity = identifyWeb(config, account, login);
    return { identity, account, login, address, formToken: formToken(await formKey(), identity.key) };
  }

  return async (c, next) => {
    const address = clientOf(c, web.trustedProxy);
    c.set("address", address);
    if (OPEN.test(c.req.path)) return next();
    const said = proxyName(c, config);
    const credentials = c.req.header("authorization");
    if (said !== undefined) c.set("visitor", await enter(said, "proxy", address));
    else if (credentials !== undefined && takesCredentials(web)) {
      const waitS = failures.waitS(address);
      if (waitS !== undefined) {
        c.header("retry-after", String(waitS));
        return turnAway(c, 429, `Too many wrong passwords came from ${address}. Try again in ${waitS} s.`);
      }
      const proven = checkCredentials(credentials, web);
      if (proven === undefined) {
        failures.add(address);
        log.warn({ address }, "a wrong password or token");
        challenge(c, config);
        return turnAway(c, 401, "That name and password, or that token, is not right.");
      }
      c.set("visitor", await enter(proven.account, proven.login, address));
    }
    if (web.private && visitorOf(c) === undefined) {
      challenge(c, config);
      return turnAway(c, 401, "This docker-ci shows itself only to who is logged in.");
    }
    await next();
    // What somebody sees who is logged in is no one else's, and holds their forms' token.
    if (visitorOf(c) !== undefined && !c.res.headers.has("cache-control"))
      c.header("cache-control", "private, no-cache");
  };
}

/** `/login`: asks the browser to ask, and leads back to where somebody came from. */
export function loginRoutes({ config }: Pick<WebDeps, "config">, frame: Frame): Hono {
  const app = new Hono();
  app.get("/login", async (c) => {
    if (visitorOf(c) !== undefined) return c.redirect(here(c.req.query("to")), 303);
    const { user, trustedProxy } = config.web;
    if (user !== undefined) challenge(c, config);
    const what =
      user !== undefined
        ? "It takes the name and password of web: in docker-ci.yml."
        : trustedProxy?.header !== undefined
          ? "The proxy in front of this page has to say who you are, and does not."
          : "Nobody can log in here: web: in docker-ci.yml names no user. In chat everything works.";
    return c.html(
      <MessagePage title="Not logged in" bar={await frame.bar(c)}>
        {what}
      </MessagePage>,
      user === undefined ? 404 : 401,
    );
  });
  return app;
}

/** What the bar says of it. */
export function barLogin(c: Context, { web }: Pick<WebDeps["config"], "web">): Pick<Bar, "person" | "loginAt"> {
  const person = visitorOf(c)?.identity.name;
  if (person !== undefined || web.user === undefined) return { person };
  // Where nothing is to be read again, as behind a form, it leads to the start page.
  const to = c.req.method === "GET" && c.req.path !== "/login" ? new URL(c.req.url).pathname : "/";
  return { person, loginAt: `/login?to=${encodeURIComponent(to)}` };
}

/** A path of this site; anything that could be another one is the start page. */
function here(to: string | undefined): string {
  return to !== undefined && /^\/(?![/\\])[\x21-\x7e]*$/.test(to) ? to : "/";
}

function proxyName(c: Context, { web }: Pick<WebDeps["config"], "web">): string | undefined {
  const proxy = web.trustedProxy;
  if (proxy?.header === undefined || !proxy.includes(peerOf(c))) return undefined;
  const name = c.req.header(proxy.header);
  return name !== undefined && NAME.test(name) ? name : undefined;
}

function challenge(c: Context, { web }: Pick<WebDeps["config"], "web">): void {
  if (web.user !== undefined) c.header("www-authenticate", `Basic realm="${REALM}", charset="UTF-8"`);
  if (web.tokens.size > 0) c.header("www-authenticate", `Bearer realm="${REALM}"`, { append: true });
}

/** The site's own headers are not there yet. */
function turnAway(c: Context, status: Extract<ErrorStatus, 401 | 429>, message: string): Response {
  c.header("x-content-type-options", "nosniff");
  c.header("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
  c.header("cache-control", "no-store");
  return c.req.path.startsWith("/api/") ? apiError(c, status, message) : c.text(`${message}\n`, status);
}
