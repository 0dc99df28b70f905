/** The site: what holds for every page, and the areas that it is made of. Everything that a page shows comes from the records and the logs. */
import { type Context, Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { artifactsFolder, coverageFolder } from "../builds/pipeline-of-build.ts";
import { isRedisAway } from "../queue/redis.ts";
import { redisAwayWords } from "../queue/redis-away.ts";
import { lateApi } from "./api/late-api.ts";
import { artifactRoutes } from "./artifacts.tsx";
import { assetRoutes } from "./assets.ts";
import { auditRoutes } from "./audit.tsx";
import { backupRoutes } from "./backups.tsx";
import { buildRoutes } from "./build/build.tsx";
import { coverageRoutes } from "./coverage.ts";
import type { Frame, WebDeps } from "./deps.ts";
import { createActs } from "./forms/acts.ts";
import { formRoutes } from "./forms/forms.tsx";
import { homeRoutes } from "./home/home.tsx";
import { hookRoutes } from "./hooks/hooks.ts";
import { barLogin, loginRoutes, requireLogin } from "./login/login.tsx";
import { machineRoutes } from "./machine/machine.ts";
import { oldAddressRoutes } from "./old-addresses.ts";
import { OutboxPage } from "./outbox-page.tsx";
import { projectRoutes } from "./projects/project.tsx";
import { releaseRoutes } from "./releases/releases.tsx";
import { scheduleRoutes } from "./schedule.tsx";
import { type Bar, MessagePage } from "./shell.tsx";
import { waterfallRoutes } from "./waterfall/waterfall.tsx";
import { workerFileRoutes } from "./worker-files.ts";
import { workerRoutes } from "./workers.tsx";

export type { WebDeps } from "./deps.ts";

/** Nothing from elsewhere and nothing written into a page: what hostile text may get into one has no power there. */
const POLICY = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", "data:"],
  connectSrc: ["'self'"],
  formAction: ["'self'"],
  baseUri: ["'none'"],
  frameAncestors: ["'none'"],
};

export function createWeb(deps: WebDeps): Hono {
  const { builds, version, log } = deps;
  const app = new Hono();
  const frame: Frame = {
    async bar(c) {
      const [running, queued] = await Promise.all([builds.running(), builds.queued()]);
      const login = barLogin(c, deps.config);
      return { version, running: running.length, queued: queued.length, ...login } satisfies Bar;
    },
    missing: (c, what) => message(c, "Not found", what, 404),
  };
  app.use(async (c, next) => {
    await next();
    // Nobody reads what is made for a HEAD: it is given up, and with it the file or the live log that it comes from.
    if (c.req.method === "HEAD") await c.res.body?.cancel();
  });
  // Signed, so nobody logs in to them.
  if (deps.hooks !== undefined) app.route("/", hookRoutes({ ...deps, hooks: deps.hooks }));
  // With tokens of their own.
  app.route("/", workerFileRoutes(deps));
  app.use(requireLogin(deps));
  const { bring } = deps;
  if (bring !== undefined) {
    for (const [path, area] of [
      ["/artifacts/:number/*", "artifacts"] as const,
      ["/coverage/:project/:number/*", "coverage"] as const,
    ]) {
      app.use(path, async (c, next) => {
        await bring(Number(c.req.param("number")), area);
        await next();
      });
    }
  }
  // What builds left behind is hostile: these bring their own, stricter rules, which the site's must not overwrite.
  app.route("/", artifactRoutes(artifactsFolder(deps.config.dataDir), frame));
  app.route("/", coverageRoutes(coverageFolder(deps.config.dataDir), builds, frame));
  app.use(
    secureHeaders({
      contentSecurityPolicy: POLICY,
      xFrameOptions: "DENY",
      // Whether a domain and all below it speak https alone is for the proxy that speaks it to say.
      strictTransportSecurity: false,
    }),
  );
  app.route("/assets", assetRoutes());
  app.route("/", homeRoutes(deps, frame));
  app.route("/", projectRoutes(deps, frame));
  app.route("/", buildRoutes(deps, frame));
  app.route("/", waterfallRoutes(deps, frame));

  const acts = createActs(deps);
  app.route("/", loginRoutes(deps, frame));
  app.route("/", formRoutes(deps, acts, frame));
  app.route("/", lateApi(deps, acts));

  app.route("/", workerRoutes(deps, frame));
  app.route("/", auditRoutes(deps, frame));
  app.route("/", backupRoutes(deps, frame));
  app.route("/", scheduleRoutes(deps, frame));
  app.route("/", releaseRoutes(deps, frame));
  app.route("/", oldAddressRoutes(deps));
  app.get("/outbox", async (c) => {
    const state = await deps.outbox();
    return c.html(<OutboxPage {...state} now={deps.clock.now()} bar={await frame.bar(c)} />);
  });

  app.route("/", machineRoutes(deps, frame));
  app.get("/healthz", async (c) => {
    try {
      return c.json({ status: "ok", version, ...(await deps.health()) });
    } catch (error) {
      return c.json({ status: "unwell", version, reason: error instanceof Error ? error.message : String(error) }, 503);
    }
  });

  app.notFound((c) => frame.missing(c, "There is nothing at this address."));
  app.onError(async (error, c) => {
    log.error({ err: error, path: c.req.path }, "request failed");
    if (!isRedisAway(error)) return c.text("That went wrong on our side; the log has the details.\n", 500);
    const { wrong, mend } = await redisAwayWords(error, deps.config);
    return c.text(`${wrong}. ${mend}\n`, 503);
  });
  return app;

  async function message(c: Context, title: string, what: string, status: 404): Promise<Response> {
    return c.html(
      <MessagePage title={title} bar={await frame.bar(c)}>
        {what}
      </MessagePage>,
      status,
    );
  }
}
