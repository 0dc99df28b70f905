/** The API, loaded with the first question to it: its document and schemas take a fifth of what a start would load, and some 20 MB. */
import { Hono } from "hono";
import type { WebDeps } from "../deps.ts";
import type { Acts } from "../forms/acts.ts";
import { type Visitor, visitorOf } from "../login/visitor.ts";

interface Handed {
  readonly Bindings: { readonly visitor: Visitor | undefined };
  readonly Variables: { visitor: Visitor | undefined };
}

export function lateApi(deps: WebDeps, acts: Acts): Hono {
  const app = new Hono();
  let loaded: Promise<Hono<Handed>> | undefined;
  app.all("/api/*", async (c) => {
    loaded ??= load(deps, acts);
    const api = await loaded;
    return api.fetch(c.req.raw, { visitor: visitorOf(c) });
  });
  return app;
}

/** An app of its own, so who asks is handed over to it. */
async function load(deps: WebDeps, acts: Acts): Promise<Hono<Handed>> {
  const { apiRoutes } = await import("./api.ts");
  const api = new Hono<Handed>();
  api.use(async (c, next) => {
    c.set("visitor", c.env.visitor);
    await next();
  });
  api.route("/", apiRoutes(deps, acts));
  return api;
}
