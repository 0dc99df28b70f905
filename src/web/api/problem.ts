/** What goes wrong in a route of the API, and how it is said. */
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { Logger } from "pino";
import type { z } from "zod";
import { RuntimeError, UserError } from "../../errors.ts";
import { isRedisAway } from "../../queue/redis.ts";
import { ForbiddenError } from "../forms/acts.ts";
import { apiError, ERROR_CODES, type ErrorStatus } from "./error.ts";

/** Thrown in a route and given in the API's shape. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: ErrorStatus;

  constructor(status: ErrorStatus, message: string) {
    super(message);
    this.status = status;
  }
}

/** The one place where a thrown value becomes an answer of the API. */
export function failure(c: Context, error: Error, log: Logger): Response {
  if (error instanceof Problem) return apiError(c, error.status, error.message);
  if (error instanceof ForbiddenError) return apiError(c, 403, error.message);
  if (error instanceof UserError) return apiError(c, 422, error.message);
  if (error instanceof HTTPException && error.status in ERROR_CODES) return apiError(c, 400, "The body is no JSON.");
  log.error({ err: error, path: c.req.path }, "request failed");
  if (isRedisAway(error)) return apiError(c, 503, "Redis does not answer at the moment; try again in a minute.");
  if (error instanceof RuntimeError) return apiError(c, 503, error.message);
  return apiError(c, 500, "That went wrong on our side; the log has the details.");
}

/** `limit: a whole number from 1 to 200` */
export function misfit({ issues }: z.ZodError): string {
  return issues.flatMap(issueWords).join("; ");
}

/** What zod says of what is missing, unknown or of another type is for programmers. */
function issueWords(issue: z.core.$ZodIssue): string[] {
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => `${key}: there is no such key`);
  const message = issue.message
    .replace(/^Invalid input: expected (.*), received undefined$/, "missing")
    .replace(/^Invalid input: expected (.*), received (.*)$/, "found $2, allowed: $1");
  return [[issue.path.join("."), message].filter((part) => part !== "").join(": ")];
}
