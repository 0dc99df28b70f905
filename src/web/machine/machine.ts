/** What other programs read: badges, build monitors, feed readers, Prometheus, and whatever asks whether we are ready. */
import { type Context, Hono } from "hono";
import { etag } from "hono/etag";
import { GitRef, ProjectName } from "../../names.ts";
import type { Frame, WebDeps } from "../deps.ts";
import { badgeRoutes } from "./badges.ts";
import { cctrayXml } from "./cctray.ts";
import { feedXml } from "./feed.ts";
import { readiness } from "./ready.ts";

const ENDING = ".xml";
/** Readers look every few minutes, monitors every few seconds: both ask with what they have, and get a 304. */
const FRESH = "no-cache";
const NEVER_KEPT = "no-store";

export function machineRoutes(deps: WebDeps, frame: Frame): Hono {
  const app = new Hono();
  for (const path of ["/badge/*", "/cc.xml", "/feed.xml", "/feed/*"]) app.use(path, etag());
  app.route("/", badgeRoutes(deps));

  app.get("/cc.xml", async (c) =>
    c.body(await cctrayXml(deps), 200, { "content-type": "application/xml; charset=utf-8", "cache-control": FRESH }),
  );
  app.get("/feed.xml", (c) => feed(c, undefined));
  app.get("/feed/:file{[^/]+\\.xml}", async (c) => {
    const name = ProjectName.safeParse(c.req.param("file").slice(0, -ENDING.length));
    if (!name.success || !deps.config.projects.has(name.data)) {
      return frame.missing(c, "There is no project of that name.");
    }
    return feed(c, name.data);
  });

  app.get("/metrics", async (c) =>
    c.body(await deps.metrics.text(), 200, {
      "content-type": deps.metrics.contentType,
      "cache-control": NEVER_KEPT,
    }),
  );
  app.get("/readyz", async (c) => {
    const state = await readiness(deps);
    return c.json(state, state.ready ? 200 : 503, { "cache-control": NEVER_KEPT });
  });
  return app;

  /** `?branch=` and `?failures_only=true`, as Buildbot's feed had them (O-81). */
  async function feed(c: Context, project: ProjectName | undefined): Promise<Response> {
    const asked = c.req.query("branch");
    const branch = GitRef.safeParse(asked).data;
    if (asked !== undefined && branch === undefined) return frame.missing(c, "No branch can have that name.");
    const onlyFailures = c.req.query("failures_only") === "true";
    const query = new URLSearchParams({
      ...(branch === undefined ? {} : { branch }),
      ...(onlyFailures ? { failures_only: "true" } : {}),
    });
    const address = `${c.req.path}${query.size === 0 ? "" : `?${query}`}`;
    const text = await feedXml(deps, { project, branch, onlyFailures }, address);
    return c.body(text, 200, { "content-type": "application/atom+xml; charset=utf-8", "cache-control": FRESH });
  }
}
