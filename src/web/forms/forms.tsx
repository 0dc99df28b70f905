/** Forms that change something: ask for a build, cancel it, build it again, let a pull request run, ask for a release and decide on it; and the page that asks for a build. */
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { z } from "zod";
import type { Build } from "../../builds/build.ts";
import { RuntimeError, UserError } from "../../errors.ts";
import { BuildNumber, Sha } from "../../names.ts";
import { isRedisAway } from "../../queue/redis.ts";
import { ReleaseNumber, releaseName } from "../../releases/release.ts";
import { PullRequest } from "../../triggers/pull-request.ts";
import type { Frame, WebDeps } from "../deps.ts";
import { mayDo, type Visitor, visitorOf } from "../login/visitor.ts";
import { RequestForm } from "../releases/request-form.tsx";
import { MessagePage, Page } from "../shell.tsx";
import { TOKEN_FIELD } from "./action-form.tsx";
import { type Acts, ForbiddenError } from "./acts.ts";
import { ForceForm, type ForceValues } from "./force-form.tsx";
import { isOwnForm } from "./genuine.ts";
import { parseVariables } from "./variables.ts";

const BODY_BYTES = 64 * 1024;
/** A form that is sent again after this long is meant again. */
const AGAIN_MS = 10_000;

const text = z.string().trim().optional();
/** An empty field is none. */
const filled = text.transform((value) => (value === "" ? undefined : value));
const Force = z.object({ project: z.string(), ref: filled, params: text.default(""), once: z.uuid().optional() });
const Again = z.object({ only: z.literal("failed").optional() });
const OkToTest = z.object({ head: Sha, once: z.uuid() });
const Switch = z
  .literal("yes")
  .optional()
  .transform((value) => value === "yes");
const Ask = z.object({
  project: z.string(),
  version: z.string().trim().max(64),
  ref: filled,
  force: Switch,
  no_latest: Switch,
  once: z.uuid(),
});
const Approve = z.object({ once: z.uuid(), digest: z.string() });
const Reject = z.object({ once: z.uuid(), reason: filled.pipe(z.string().max(200).optional()) });
const Cancel = z.object({ reason: filled.pipe(z.string().max(200).optional()) });

type Refusal = 400 | 401 | 403 | 404 | 413 | 415 | 422 | 503;

export function formRoutes(
  { config, clock, log, releases }: Pick<WebDeps, "config" | "clock" | "log" | "releases">,
  acts: Acts,
  frame: Frame,
): Hono {
  const app = new Hono();
  const projects = [...config.projects.values()];
  const limit = bodyLimit({
    maxSize: BODY_BYTES,
    onError: (c) => refuse(c, 413, "That is more than a form of this page ever sends."),
  });

  app.get("/force", (c) => forcePage(c, { project: c.req.query("project"), ref: c.req.query("ref") }));

  app.post("/builds", limit, (c) =>
    received(c, Force, async (visitor, { project, ref, params, once }) => {
      const wish = { project, ref, params: parseVariables(params) };
      const asked = once === undefined ? undefined : `web:${visitor.identity.key}:${once}`;
      const build = await acts.build(visitor, { ...wish, asked });
      const isOld = clock.now().getTime() - Date.parse(build.requestedAt) > AGAIN_MS;
      return pageOf(isOld && asked !== undefined ? await acts.build(visitor, wish) : build);
    }),
  );

  app.post("/builds/:number/rebuild", limit, (c) =>
    received(c, Again, async (visitor, { only }) =>
      pageOf(await acts.rebuild(visitor, numberOf(c), only === "failed")),
    ),
  );

  app.post("/builds/:number/cancel", limit, (c) =>
    received(c, Cancel, async (visitor, { reason }) => {
      const { build } = await acts.cancel(visitor, numberOf(c), reason);
      return pageOf(build);
    }),
  );

  app.post("/projects/:project/pulls/:number/ok-to-test", limit, (c) =>
    received(c, OkToTest, async (visitor, { head, once }) => {
      const pull = PullRequest.shape.number.safeParse(Number(c.req.param("number")));
      if (!pull.success) throw new UserError("There is no pull request of that number.");
      const asked = `web:${visitor.identity.key}:${once}`;
      const { build } = await acts.okToTest(visitor, c.req.param("project"), pull.data, head, asked);
      return pageOf({ number: build });
    }),
  );

  app.post("/releases", limit, (c) =>
    received(c, Ask, async (visitor, { once, no_latest: noLatest, ...wish }) => {
      // Sent again with another version, from the page before, it is another wish.
      const asked = `web:${visitor.identity.key}:${once}:${wish.project}:${wish.version}`;
      return `/releases/${releaseName(await acts.release(visitor, { ...wish, noLatest, asked }))}`;
    }),
  );

  app.post("/releases/:name/approve", limit, (c) =>
    received(c, Approve, async (visitor, { once, digest }) => {
      const number = releaseOf(c);
      const { digest: now } = await releases.get(number);
      // The form is of a plan that somebody looked at.
      if (now !== digest)
        throw new UserError(`${releaseName({ number })} is not what that form showed; load its page again.`);
      await acts.approve(visitor, number, `web:${visitor.identity.key}:${once}`);
      return `/releases/${releaseName({ number })}`;
    }),
  );

  app.post("/releases/:name/reject", limit, (c) =>
    received(c, Reject, async (visitor, { once, reason }) => {
      const number = releaseOf(c);
      await acts.reject(visitor, number, reason, `web:${visitor.identity.key}:${once}`);
      return `/releases/${releaseName({ number })}`;
    }),
  );

  return app;

  /** Checks who sent a form and what it brings, does it, and leads to the page that shows it. */
  async function received<Fields extends z.ZodObject>(
    c: Context,
    fields: Fields,
    act: (visitor: Visitor, given: z.output<Fields>) => Promise<string>,
  ): Promise<Response> {
    const visitor = visitorOf(c);
    if (visitor === undefined) return refuse(c, 401, "Only who is logged in can change something here.");
    if (!/^application\/x-www-form-urlencoded\b/.test(c.req.header("content-type") ?? ""))
      return refuse(c, 415, "This address takes what the forms of this site send; programs use /api.");
    const body = await c.req.parseBody();
    const token = body[TOKEN_FIELD];
    if (!isOwnForm(c, visitor, typeof token === "string" ? token : "", config.url)) {
      log.warn({ path: c.req.path, address: visitor.address }, "a form that no page of ours made was refused");
      return refuse(
        c,
        403,
        "That form did not come from a page of this docker-ci. Load the page again and press the button there.",
      );
    }
    const given = fields.safeParse(body);
    if (!given.success) return refuse(c, 400, "The form brought something that it has no field for, or left one out.");
    try {
      return c.redirect(await act(visitor, given.data), 303);
    } catch (error) {
      const [status, message] = whyNot(error);
      const tried = Force.safeParse(body);
      if (c.req.path === "/builds" && tried.success) return forcePage(c, { ...tried.data }, { status, message });
      const asked = Ask.safeParse(body);
      if (c.req.path === "/releases" && asked.success) return askPage(c, asked.data, { status, message });
      return refuse(c, status, message);
    }
  }

  async function refuse(c: Context, status: Refusal, message: string): Promise<Response> {
    return c.html(
      <MessagePage title="Not done" bar={await frame.bar(c)}>
        {message}
      </MessagePage>,
      status,
    );
  }

  async function forcePage(
    c: Context,
    values: ForceValues,
    refused?: { readonly status: Refusal; readonly message: string },
  ): Promise<Response> {
    const visitor = visitorOf(c);
    return c.html(
      <Page title={refused === undefined ? "Build something" : "Not done"} bar={await frame.bar(c)}>
        <h1>{refused === undefined ? "Build something" : "Not done"}</h1>
        {refused === undefined ? null : <p role="alert">{refused.message}</p>}
        {visitor === undefined ? (
          <p>
            Only who is logged in can ask for a build here. <a href="/login?to=/force">Log in</a>
          </p>
        ) : !mayDo(visitor) ? (
          <p>{`Building takes the role developer; ${visitor.identity.because}. ${visitor.identity.advice}`}</p>
        ) : (
          <ForceForm visitor={visitor} projects={projects} values={values} />
        )}
      </Page>,
      refused?.status ?? 200,
    );
  }

  /** What was refused, with what was typed for it. */
  async function askPage(
    c: Context,
    { no_latest: noLatest, ...typed }: z.output<typeof Ask>,
    { status, message }: { readonly status: Refusal; readonly message: string },
  ): Promise<Response> {
    return c.html(
      <Page title="Not done" bar={await frame.bar(c)} area="/releases">
        <h1>Not done</h1>
        <p role="alert">{message}</p>
        <RequestForm visitor={visitorOf(c)} config={config} values={{ ...typed, noLatest }} />
      </Page>,
      status,
    );
  }

  function numberOf(c: Context): BuildNumber {
    const number = BuildNumber.safeParse(c.req.param("number"));
    if (number.success) return number.data;
    throw new UserError("There is no build of that number.");
  }

  function releaseOf(c: Context): ReleaseNumber {
    const number = ReleaseNumber.safeParse(c.req.param("name")?.replace(/^R/i, ""));
    if (number.success) return number.data;
    throw new UserError("There is no release of that number.");
  }
}

function pageOf({ number }: Pick<Build, "number">): string {
  return `/builds/${number}`;
}

/** @throws what is nobody's business but the log's. */
function whyNot(error: unknown): [Refusal, string] {
  if (error instanceof ForbiddenError) return [403, error.message];
  if (error instanceof UserError) return [422, error.message];
  if (isRedisAway(error)) throw error;
  if (error instanceof RuntimeError) return [503, error.message];
  throw error;
}
