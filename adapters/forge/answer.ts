/** What a forge's answer means that is no yes: try later, not before a moment, or never. The one place that knows their codes. */
import { z } from "zod";
import { RuntimeError } from "../../src/errors.ts";
import { ForgeLimit } from "../../src/forge.ts";
import { cleanName } from "../../src/results/clean-name.ts";

const MESSAGE_LENGTH = 200;
/** GitHub asks for at least that long where it does not say how long. */
const LIMIT_MS = 60_000;
/** GitHub's limits are by the hour; whatever a header says, it is asked again then. */
const LIMIT_MAX_MS = 3_600_000;
const LIMIT_MIN_MS = 1_000;

const Said = z.object({
  message: z.string(),
  errors: z.array(
    z.object({ message: z.string().optional(), code: z.string().optional(), field: z.string().optional() }),
  ),
});

/** Whom it is said of: `github.com`, and `distribution/distribution`. */
export interface Asked {
  readonly forge: string;
  readonly repository: string;
}

/** @param body as it came; @param now to count from. */
export function readRefusal(
  { status, headers }: Pick<Response, "status" | "headers">,
  body: string,
  { forge, repository }: Asked,
  now: Date,
): RuntimeError {
  const words = messageOf(body);
  const message = words === "" ? String(status) : `${status}: ${words}`;
  if (isLimit(status, headers, words)) {
    const until = new Date(now.getTime() + limitMs(headers, now));
    return new ForgeLimit(
      `${forge} takes no calls before ${until.toISOString().slice(11, 19)} UTC (${message})`,
      until,
    );
  }
  const never = { retryable: false };
  if (status >= 500 || status === 408) return new RuntimeError(`${forge} does not work now (${message})`);
  if (status === 401) return new RuntimeError(`${forge} refuses the token (${message})`, never);
  if (status === 403)
    return new RuntimeError(`the token for ${forge} may not do this in ${repository} (${message})`, never);
  if (status === 404)
    return new RuntimeError(
      `${forge} shows this token no ${repository}, or not what it asked for there (${message})`,
      never,
    );
  return new RuntimeError(`${forge} does not take this for ${repository} (${message})`, never);
}

/** https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api: 403 or 429, for both kinds of limit. */
function isLimit(status: number, headers: Headers, words: string): boolean {
  if (status === 429) return true;
  if (status !== 403) return false;
  return headers.has("retry-after") || headers.get("x-ratelimit-remaining") === "0" || /rate limit/i.test(words);
}

function limitMs(headers: Headers, now: Date): number {
  const afterS = Number(headers.get("retry-after") ?? Number.NaN);
  const resetS =
    headers.get("x-ratelimit-remaining") === "0" ? Number(headers.get("x-ratelimit-reset") ?? Number.NaN) : Number.NaN;
  const told = Number.isFinite(afterS) ? afterS * 1000 : resetS * 1000 - now.getTime();
  return Number.isFinite(told) ? Math.min(LIMIT_MAX_MS, Math.max(LIMIT_MIN_MS, told)) : LIMIT_MS;
}

/** What it says in words, for a log and for `!outbox`; "" where that is no JSON. */
function messageOf(body: string): string {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    // A proxy's page, most likely; the status says enough.
    return "";
  }
  const { message = "", errors = [] } = Said.partial().safeParse(json).data ?? {};
  const more = errors.map((error) => error.message ?? [error.field, error.code].filter(Boolean).join(" "));
  return cleanName([message, ...more].filter((text) => text !== "").join("; ")).slice(0, MESSAGE_LENGTH);
}
