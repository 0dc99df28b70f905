/** The one shape in which the API says that something could not be done. */
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";

export const ERROR_CODES = {
  400: "bad_request",
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  405: "method_not_allowed",
  409: "conflict",
  413: "too_large",
  415: "unsupported_media_type",
  422: "refused",
  429: "too_many_requests",
  500: "internal",
  503: "unavailable",
} as const satisfies Partial<Record<ContentfulStatusCode, string>>;
export type ErrorStatus = keyof typeof ERROR_CODES;

/** In the shape that error-schema.ts describes. */
export function apiError(c: Context, status: ErrorStatus, message: string): Response {
  return c.json({ error: { code: ERROR_CODES[status], message } }, status);
}
