/** The API: the records as JSON, and what may be changed of them. */
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { etag } from "hono/etag";
import { HTTPException } from "hono/http-exception";
import { stream } from "hono/streaming";
import type { z } from "zod";
import { slotsOf } from "../../builds/accepted.ts";
import { type Build, isFinished } from "../../builds/build.ts";
import { shownRepository } from "../../config.ts";
import { RuntimeError, UserError } from "../../errors.ts";
import type { BuildNumber } from "../../names.ts";
import { isRedisAway } from "../../queue/redis.ts";
import type { StepTest } from "../../results/kept-tests.ts";
import type { WebDeps } from "../deps.ts";
import { type Acts, ForbiddenError } from "../forms/acts.ts";
import { isOwnCall } from "../forms/genuine.ts";
import { type Visitor, visitorOf } from "../login/visitor.ts";
import { briefJson, buildJson } from "./build-json.ts";
import { apiError, ERROR_CODES, type ErrorStatus } from "./error.ts";
import { listBuilds } from "./list-builds.ts";
import { createOnce } from "./once.ts";
import * as routes from "./routes.ts";
import { ApiBuild } from "./schemas.ts";

const BODY_BYTES = 256 * 1024;

/** Thrown in a route and given in the API's shape. */
class Problem extends Error {
  override readonly name = "Problem";
  readonly status: ErrorStatus;

  constructor(status: ErrorStatus, message: string) {
    super(message);
    this.status = status;
  }
}

export function apiRoutes(deps: WebDeps, acts: Acts): OpenAPIHono {
  const { config, builds, log, results } = deps;
  const { url } = config;
  const once = createOnce(deps.redis, ApiBuild);
  const app = new OpenAPIHono({
    defaultHook: (result, c) => (result.success ? undefined : apiError(c, 400, misfit(result.error))),
  });
  app.onError((error, c) => failure(c, error));

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
    bodyLimit({ maxSize: BODY_BYTES, onError: (c) => apiError(c, 413, `A body may have ${BODY_BYTES} bytes.`) }),
  );

  app.openapi(routes.listProjects, async (c) => {
    const projects = [...config.projects.values()].map(async ({ name, repo, branch }) => {
      const [latest] = await builds.latest(1, name);
      return {
        name,
        repository: shownRepository(repo),
        branch,
        url: `${url}/projects/${name}`,
        latest: latest === undefined ? null : briefJson(latest, url),
      };
    });
    return c.json({ projects: await Promise.all(projects) }, 200);
  });

  app.openapi(routes.listBuilds, async (c) => {
    const query = c.req.valid("query");
    const page = await listBuilds(builds, query);
    if (page.next !== null) {
      const next = new URL(c.req.url).searchParams;
      next.set("before", String(page.next));
      c.header("link", `<${url}/api/builds?${next}>; rel="next"`);
    }
    return c.json({ builds: page.builds.map((build) => briefJson(build, url)), next: page.next }, 200);
  });

  app.openapi(routes.readBuild, async (c) => c.json(buildJson(await find(c.req.valid("param").number), url), 200));

  // A stream is no answer that the library knows the type of, so this one is only described by its route.
  app.openAPIRegistry.registerPath(routes.readLog);
  app.get(routes.readLog.getRoutingPath(), async (c) => {
    const params = routes.readLog.request.params.safeParse(c.req.param());
    const query = routes.readLog.request.query.safeParse(c.req.query());
    if (!params.success) throw new Problem(400, misfit(params.error));
    if (!query.success) throw new Problem(400, misfit(query.error));
    const { number } = await find(params.data.number);
    c.header("content-type", "text/plain; charset=utf-8");
    if (query.data.tail !== undefined) {
      const lines = await deps.logLines(number, query.data.tail);
      if (lines === undefined) throw noLog(number);
      return c.body(lines.map(({ text }) => `${text}\n`).join(""));
    }
    const whole = await deps.openLog(number);
    if (whole === undefined) throw noLog(number);
    return stream(
      c,
      async (body) => {
        body.onAbort(() => void whole.destroy());
        for await (const chunk of whole) await body.write(chunk);
      },
      async (error) => log.error({ err: error, build: number }, "a log could not be read to its end"),
    );
  });

  app.openapi(routes.readTests, async (c) => {
    const { number } = await find(c.req.valid("param").number);
    const { state, after, limit } = c.req.valid("query");
    let seen = 0;
    const tests: StepTest[] = [];
    for await (const batch of results.tests(number)) {
      for (const test of batch) {
        if (state !== undefined && test.state !== state) continue;
        seen += 1;
        if (seen <= after) continue;
        if (tests.length === limit) return c.json({ tests, next: after + limit }, 200);
        tests.push(test);
      }
    }
    return c.json({ tests, next: null }, 200);
  });

  app.openapi(routes.readQueue, async (c) => {
    const slots = slotsOf(await deps.workers());
    const { running, queued, forecast } = await builds.outlook(slots);
    const endsIn = (build: Build) => {
      const endsInMs = forecast(build)?.endsInMs;
      return { ...briefJson(build, url), ...(endsInMs === undefined ? {} : { endsInMs }) };
    };
    const waits = (build: Build, place: number) => {
      const { before = place, beginsInMs } = forecast(build) ?? {};
      return { ...endsIn(build), before, ...(beginsInMs === undefined ? {} : { beginsInMs }) };
    };
    return c.json({ slots, running: running.map(endsIn), queued: queued.map(waits) }, 200);
  });

  app.openapi(routes.listWorkers, async (c) =>
    c.json({ workers: (await deps.workers()).map((worker) => ({ ...worker, active: [...worker.active] })) }, 200),
  );
  app.openapi(routes.readOutbox, async (c) => {
    const { rooms, dropped } = await deps.outbox();
    return c.json({ rooms: [...rooms], dropped: [...dropped] }, 200);
  });
  app.openapi(routes.listReleases, (c) => c.json({ releases: [] }, 200));

  app.openapi(routes.requestBuild, async (c) => {
    const { project, ref, variables } = c.req.valid("json");
    return created(
      c,
      c.req.valid("header")["idempotency-key"],
      JSON.stringify([project, ref, variables]),
      (visitor, asked) => acts.build(visitor, { project, ref, params: variables, event: "api", asked }),
    );
  });

  app.openapi(routes.rebuild, async (c) => {
    const { number } = await find(c.req.valid("param").number);
    const { only } = c.req.valid("json");
    return created(c, c.req.valid("header")["idempotency-key"], JSON.stringify([number, only]), (visitor, asked) =>
      acts.rebuild(visitor, number, only === "failed", asked),
    );
  });

  app.openapi(routes.cancel, async (c) => {
    const before = await find(c.req.valid("param").number);
    if (isFinished(before)) throw new Problem(409, `#${before.number} is over already: ${before.state.kind}.`);
    const { reason } = c.req.valid("json");
    const { kind, build } = await acts.cancel(loggedIn(c), before.number, reason === "" ? undefined : reason);
    // What ended in this very moment has been refused.
    return c.json({ outcome: kind === "cancelled" ? kind : ("stopping" as const), build: buildJson(build, url) }, 200);
  });

  describe(app, url, deps.version);
  app.all("/api/*", (c) => {
    const path = c.req.path.replace(/^(\/api\/builds)\/[^/]+/, "$1/:number");
    const allowed = app.routes
      .filter((route) => route.path === path && route.method !== "ALL")
      .map(({ method }) => method);
    if (allowed.length === 0)
      throw new Problem(404, "There is nothing at this address; /api/openapi.json lists what there is.");
    c.header("allow", [...new Set(allowed)].join(", "));
    throw new Problem(405, `This address takes ${[...new Set(allowed)].join(" and ")}.`);
  });
  return app;

  async function find(number: BuildNumber): Promise<Build> {
    try {
      return await builds.get(number);
    } catch (error) {
      if (error instanceof UserError)
        throw new Problem(404, `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}`);
      throw error;
    }
  }

  /** A new build as an answer; under an idempotency key, made once. */
  async function created(
    c: Context,
    key: string | undefined,
    request: string,
    make: (visitor: Visitor, asked: string | undefined) => Promise<Build>,
  ) {
    const visitor = loggedIn(c);
    const answer = async (asked?: string) => buildJson(await make(visitor, asked), url);
    const outcome =
      key === undefined
        ? ({ kind: "done", answer: await answer(), replayed: false } as const)
        : await once(visitor, key, `${c.req.path} ${request}`, answer);
    switch (outcome.kind) {
      case "misused":
        throw new Problem(422, "That Idempotency-Key was sent with another request before; take a new one.");
      case "underway":
        c.header("retry-after", "1");
        throw new Problem(409, "The request with that Idempotency-Key is being answered at this moment.");
      case "done":
        if (outcome.replayed) c.header("idempotency-replayed", "true");
        c.header("location", `/api/builds/${outcome.answer.number}`);
        return c.json(outcome.answer, 201);
      default:
        return outcome satisfies never;
    }
  }

  function failure(c: Context, error: Error): Response {
    if (error instanceof Problem) return apiError(c, error.status, error.message);
    if (error instanceof ForbiddenError) return apiError(c, 403, error.message);
    if (error instanceof UserError) return apiError(c, 422, error.message);
    if (error instanceof HTTPException && error.status in ERROR_CODES) return apiError(c, 400, "The body is no JSON.");
    log.error({ err: error, path: c.req.path }, "request failed");
    if (isRedisAway(error)) return apiError(c, 503, "Redis does not answer at the moment; try again in a minute.");
    if (error instanceof RuntimeError) return apiError(c, 503, error.message);
    return apiError(c, 500, "That went wrong on our side; the log has the details.");
  }
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

function loggedIn(c: Context): Visitor {
  const visitor = visitorOf(c);
  if (visitor === undefined) throw new Problem(401, "Only who is logged in can change something.");
  return visitor;
}

function noLog(number: number): Problem {
  return new Problem(404, `There is no log of #${number} on this machine, or none yet.`);
}

/** `limit: a whole number from 1 to 200` */
function misfit({ issues }: z.ZodError): string {
  return issues
    .map(({ path, message }) => [path.join("."), message].filter((part) => part !== "").join(": "))
    .join("; ");
}
