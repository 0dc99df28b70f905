/** The API's addresses that change something; each has seen to it that somebody is logged in. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { type Build, isFinished } from "../../builds/build.ts";
import type { WebDeps } from "../deps.ts";
import type { Acts } from "../forms/acts.ts";
import { type Visitor, visitorOf } from "../login/visitor.ts";
import { buildJson } from "./build-json.ts";
import { findBuild } from "./find-build.ts";
import { createOnce } from "./once.ts";
import { Problem } from "./problem.ts";
import * as routes from "./routes.ts";
import { ApiBuild } from "./schemas.ts";

export function addChanging(
  app: OpenAPIHono,
  { config, builds, redis }: Pick<WebDeps, "config" | "builds" | "redis">,
  acts: Acts,
): void {
  const { url } = config;
  const once = createOnce(redis, ApiBuild);

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
    const { number } = await findBuild(builds, c.req.valid("param").number);
    const { only } = c.req.valid("json");
    return created(c, c.req.valid("header")["idempotency-key"], JSON.stringify([number, only]), (visitor, asked) =>
      acts.rebuild(visitor, number, only === "failed", asked),
    );
  });

  app.openapi(routes.cancel, async (c) => {
    const before = await findBuild(builds, c.req.valid("param").number);
    if (isFinished(before)) throw new Problem(409, `#${before.number} is over already: ${before.state.kind}.`);
    const { reason } = c.req.valid("json");
    const { kind, build } = await acts.cancel(loggedIn(c), before.number, reason === "" ? undefined : reason);
    // What ended in this very moment has been refused.
    return c.json({ outcome: kind === "cancelled" ? kind : ("stopping" as const), build: buildJson(build, url) }, 200);
  });

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
}

function loggedIn(c: Context): Visitor {
  const visitor = visitorOf(c);
  if (visitor === undefined) throw new Problem(401, "Only who is logged in can change something.");
  return visitor;
}
