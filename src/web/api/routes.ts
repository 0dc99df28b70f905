/** The API's addresses: what each takes and gives. Requests are checked by these, and the OpenAPI document is made of them. */
import { createRoute, z } from "@hono/zod-openapi";
import { GitRef, ProjectName } from "../../names.ts";
import { Variables } from "../forms/variables.ts";
import { ApiError } from "./error-schema.ts";
import * as give from "./schemas.ts";

const NEWEST_SHOWN = 50;
const LIMIT = 200;
const TESTS_LIMIT = 1_000;
const TAIL_LIMIT = 10_000;

const error = (description: string) => ({ description, content: { "application/json": { schema: ApiError } } });
const json = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  description,
  content: { "application/json": { schema } },
});
const everywhere = {
  400: error("The request cannot be read."),
  401: error("A wrong login, or none where one is needed."),
  429: error("Too many wrong logins."),
  500: error("It went wrong on the side of docker-ci, whose log has the details."),
  503: error("Redis or a repository does not answer."),
} as const;
const changing = {
  ...everywhere,
  403: error("Who is logged in may not do it."),
  409: error("It is over, or under way already."),
  413: error("The body is too long."),
  415: error("The body is no JSON."),
  422: error("It cannot be done; the sentence says why."),
} as const;

const whole = (min: number, max: number) =>
  z.coerce
    .number<string>({ error: `a whole number from ${min} to ${max}` })
    .int()
    .min(min)
    .max(max);
const buildNumber = z.coerce
  .number<string>({ error: "a build's number, such as 43" })
  .int()
  .positive()
  .max(Number.MAX_SAFE_INTEGER)
  .brand<"BuildNumber">();
const releaseNumber = z.coerce
  .number<string>({ error: "a release's number, such as 7" })
  .int()
  .positive()
  .max(Number.MAX_SAFE_INTEGER)
  .brand<"ReleaseNumber">();
const number = z.object({ number: buildNumber.meta({ description: "Its number, such as 43." }) });
const before = buildNumber.optional().meta({ description: "Only builds with a smaller number." });
const login = [{ basic: [] }, { bearer: [] }];

export const listProjects = createRoute({
  method: "get",
  path: "/api/projects",
  summary: "The projects, each with its newest build.",
  responses: { ...everywhere, 200: json(give.Projects, "All of them.") },
});

export const listBuilds = createRoute({
  method: "get",
  path: "/api/builds",
  summary: "Builds, the newest first.",
  request: {
    query: z.object({
      project: ProjectName.optional(),
      branch: z.string().max(255).optional().meta({ description: "A branch or a tag." }),
      person: z.string().max(100).optional().meta({ description: "Who asked for it or wrote its commit." }),
      state: z.enum(give.STATES).optional(),
      before,
      limit: whole(1, LIMIT).default(NEWEST_SHOWN),
    }),
  },
  responses: { ...everywhere, 200: json(give.Builds, "A page of them.") },
});

export const readBuild = createRoute({
  method: "get",
  path: "/api/builds/{number}",
  summary: "A build.",
  request: { params: number },
  responses: { ...everywhere, 200: json(give.ApiBuild, "All that is kept of it."), 404: error("There is none.") },
});

export const readLog = createRoute({
  method: "get",
  path: "/api/builds/{number}/log",
  summary: "The log of a build, of one that runs so far.",
  request: {
    params: number,
    query: z.object({
      tail: whole(1, TAIL_LIMIT).optional().meta({ description: "Only so many lines at its end." }),
    }),
  },
  responses: {
    ...everywhere,
    200: { description: "The text.", content: { "text/plain": { schema: z.string() } } },
    404: error("There is no build of that number, or no log of it on this machine."),
  },
});

export const readTests = createRoute({
  method: "get",
  path: "/api/builds/{number}/tests",
  summary: "The tests of a build, in the order of their steps.",
  request: {
    params: number,
    query: z.object({
      state: z.enum(["passed", "failed", "skipped"]).optional(),
      after: whole(0, Number.MAX_SAFE_INTEGER).default(0).meta({ description: "How many to pass over." }),
      limit: whole(1, TESTS_LIMIT).default(TESTS_LIMIT),
    }),
  },
  responses: { ...everywhere, 200: json(give.Tests, "A page of them."), 404: error("There is no such build.") },
});

export const readQueue = createRoute({
  method: "get",
  path: "/api/queue",
  summary: "What runs, what waits behind it in order and for what, and when that is expected to begin and end.",
  responses: { ...everywhere, 200: json(give.Queue, "As it is now.") },
});

export const listWorkers = createRoute({
  method: "get",
  path: "/api/workers",
  summary: "The workers that are up.",
  responses: { ...everywhere, 200: json(give.Workers, "All of them.") },
});

export const readOutbox = createRoute({
  method: "get",
  path: "/api/outbox",
  summary: "What waits to be said in a chat, and why.",
  responses: { ...everywhere, 200: json(give.Outbox, "As it is now.") },
});

export const listReleases = createRoute({
  method: "get",
  path: "/api/releases",
  summary: "The releases, the newest first.",
  request: {
    query: z.object({
      project: ProjectName.optional(),
      before: releaseNumber.optional().meta({ description: "Only releases with a smaller number." }),
      limit: whole(1, LIMIT).default(NEWEST_SHOWN),
    }),
  },
  responses: { ...everywhere, 200: json(give.Releases, "A page of them.") },
});

export const readRelease = createRoute({
  method: "get",
  path: "/api/releases/{number}",
  summary: "A release.",
  request: { params: z.object({ number: releaseNumber.meta({ description: "Its number, such as 7." }) }) },
  responses: { ...everywhere, 200: json(give.ApiRelease, "All that is kept of it."), 404: error("There is none.") },
});

const once = z.object({
  "idempotency-key": z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, "at most 255 characters of ASCII, without spaces")
    .optional()
    .meta({ description: "Names the request: what is sent again with it within a day gets the same answer." }),
});

export const requestBuild = createRoute({
  method: "post",
  path: "/api/builds",
  summary: "Ask for a build.",
  security: login,
  request: {
    headers: once,
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z
            .strictObject({
              project: z.string().max(100),
              ref: GitRef.optional().openapi({
                description: "A branch, tag or commit, or a pull request as `PR#12`. Default: the project's branch.",
              }),
              variables: Variables.default({}).meta({ description: "Environment of every step that runs." }),
            })
            .openapi("BuildRequest"),
        },
      },
    },
  },
  responses: { ...changing, 201: json(give.ApiBuild, "It is queued; `Location` is its address.") },
});

export const rebuild = createRoute({
  method: "post",
  path: "/api/builds/{number}/rebuild",
  summary: "Build the same revision again.",
  security: login,
  request: {
    headers: once,
    params: number,
    body: {
      content: {
        "application/json": {
          schema: z.strictObject({ only: z.literal("failed").optional() }).openapi("RebuildRequest"),
        },
      },
    },
  },
  responses: {
    ...changing,
    201: json(give.ApiBuild, "It is queued; `Location` is its address."),
    404: error("There is no such build."),
  },
});

export const cancel = createRoute({
  method: "post",
  path: "/api/builds/{number}/cancel",
  summary: "Stop a build that waits or runs.",
  security: login,
  request: {
    params: number,
    body: {
      content: {
        "application/json": {
          schema: z.strictObject({ reason: z.string().trim().max(200).optional() }).openapi("CancelRequest"),
        },
      },
    },
  },
  responses: {
    ...changing,
    200: json(give.Cancelled, "It was taken out of the line, or is being stopped."),
    404: error("There is no such build."),
  },
});
