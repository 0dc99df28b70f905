/** A row of what `docker-ci check` prints. */
import { ConfigError, describeError } from "../errors.ts";

/** How long one connection may take before it counts as not working. */
export const DEADLINE_MS = 20_000;

export interface Row {
  readonly what: string;
  readonly state: "works" | "warning" | "fails";
  readonly detail: string;
}

export function reason(error: unknown): string {
  if (error instanceof ConfigError) return error.problems.length > 0 ? error.problems.join("; ") : error.message;
  // Of AbortSignal.timeout, which says only that something was aborted.
  if (error instanceof DOMException && error.name === "TimeoutError")
    return `no answer in ${DEADLINE_MS / 1000} seconds`;
  return describeError(error);
}
