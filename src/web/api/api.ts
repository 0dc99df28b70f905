/** The API: the records as JSON, and what may be changed of them. */
import { OpenAPIHono } from "@hono/zod-openapi";
import { bodyLimit } from "hono/body-limit";
import { etag } from "hono/etag";
import type { WebDeps } from "../deps.ts";
import type { Acts } from "../forms/acts.ts";
import { isOwnCall } from "../forms/genuine.ts";
import { visitorOf } from "../login/visitor.ts";
import { addChanging } from "./changing.ts";
import { apiError } from "./error.ts";
import { failure, misfit, Problem } from "./problem.ts";
import { addReading } from "./reading.ts";

const BODY_BYTES = 256 * 1024;

export function apiRoutes(deps: WebDeps, acts: Acts): OpenAPIHono {
  const { log } = deps;
  const { url } = deps.config;
  const app = new OpenAPIHono({
    defaultHook: (result, c) => (result.success ? undefined : apiError(c, 400, misfit(result.error))),
  });
  app.onError((error, c) => failure(c, error, log));

  const tagged = etag();
  // A log is not read to its end before it is sent.
  app.use("/api/*", (c, next) => (c.req.path.endsWith("/log") ? next() : tagged(c, next)));
  app.use("/api/*", async (c, next) => {
    c.header("cache-control", visitorOf(c) === undefined ? "no-cache" : "private, no-cache");
    if (c.req.method === "GET" || c.req.method === "HEAD") return next();
    if (visitorOf(c) === undefined) {
      c.header("www-authenticate", 'Basic realm="docker-ci", charset="UTF-8", Bearer realm="docker-ci"');
      throw new Problem(401, "Only who is logged in can change something, by basic authentication or with a token.");
    }
    if (!isOwnCall(c, url)) throw new Problem(403, "A page of another site cannot change something here.");
    const type = c.req.header("content-type");
    if (type !== undefined && !/^application\/json\b/.test(type)) throw new Problem(415, "A body has to be JSON.");
    return next();
  });
  app.use(
    "/api/*",
    bodyLimit({
      maxSize: BODY_BYTES,
      onError(c) {
        // What was not read is not waited for: without this word a client would send its next request into a closed connection.
        c.header("connection", "close");
        return apiError(c, 413, `A body may have ${BODY_BYTES} bytes.`);
      },
    }),
  );

  addReading(app, deps);
  addChanging(app, deps, acts);
  describe(app, url, deps.version);
  app.all("/api/*", (c) => {
    const path = c.req.path.replace(/^(\/api\/(?:builds|releases))\/[^/]+/, "$1/:number");
    const allowed = app.routes
      .filter((route) => route.path === path && route.method !== "ALL")
      .map(({ method }) => method);
    if (allowed.length === 0)
      throw new Problem(404, "There is nothing at this address; /api/openapi.json lists what there is.");
    c.header("allow", [...new Set(allowed)].join(", "));
    throw new Problem(405, `This address takes ${[...new Set(allowed)].join(" and ")}.`);
  });
  return app;
}

function describe(app: OpenAPIHono, url: string, version: string): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "basic", { type: "http", scheme: "basic" });
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", { type: "http", scheme: "bearer" });
  app.doc31("/api/openapi.json", {
    openapi: "3.1.0",
    info: {
      title: "docker-ci",
      version,
      description:
        "Builds as JSON. Reading takes no login unless the page is private; changing takes the web user or a token.",
    },
    servers: [{ url }],
  });
}
