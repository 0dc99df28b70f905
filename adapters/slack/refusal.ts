/** What Slack's Web API says when it does not do what it was asked, and what that means for people. */
import { z } from "zod";

/** Slack answered, and said no. */
export class SlackRefusal extends Error {
  override readonly name = "SlackRefusal";
  /** Slack's word: `channel_not_found`. */
  readonly code: string;

  constructor(code: string, options?: ErrorOptions) {
    super(`Slack says ${code}`, options);
    this.code = code;
  }
}

/** No answer that can be read: nobody knows whether it was done, unless `undone` says that it was not. */
export class LostAnswer extends Error {
  override readonly name = "LostAnswer";
  readonly undone: boolean;

  constructor(reason: string, undone: boolean, options?: ErrorOptions) {
    super(reason, options);
    this.undone = undone;
  }
}

/** Slack wants fewer calls; repeat it after so many milliseconds. */
export class TooMany extends Error {
  override readonly name = "TooMany";
  readonly waitMs: number;

  constructor(waitMs: number) {
    super(`Slack wants fewer calls for ${Math.ceil(waitMs / 1000)} s`);
    this.waitMs = waitMs;
  }
}

/** What @slack/web-api throws, told apart by `code` (its `ErrorCode`). */
const Thrown = z.union([
  z.object({ code: z.literal("slack_webapi_platform_error"), data: z.object({ error: z.unknown() }) }),
  z.object({ code: z.literal("slack_webapi_http_error"), statusCode: z.number() }),
  z.object({ code: z.literal("slack_webapi_rate_limited_error"), retryAfter: z.number() }),
  z.object({ code: z.literal("slack_webapi_request_error"), original: z.unknown() }),
]);

/** Codes with which Slack means: not now. */
const TRANSIENT = new Set([
  "internal_error",
  "fatal_error",
  "service_unavailable",
  "request_timeout",
  "ekm_access_denied",
]);
/** With these the connection was never there, so nothing was done. */
const NEVER_THERE = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH/;

/** Sorts what a call threw. */
export function sortThrown(thrown: unknown): SlackRefusal | LostAnswer | TooMany {
  if (thrown instanceof LostAnswer || thrown instanceof SlackRefusal || thrown instanceof TooMany) return thrown;
  const known = Thrown.safeParse(thrown).data;
  const cause = { cause: thrown };
  switch (known?.code) {
    case "slack_webapi_rate_limited_error":
      return new TooMany(known.retryAfter * 1000);
    case "slack_webapi_http_error":
      return new LostAnswer(`Slack answers ${known.statusCode}`, false, cause);
    case "slack_webapi_platform_error": {
      const { error } = known.data;
      if (error === "ratelimited" || error === "rate_limited") return new TooMany(1000);
      // The library puts a body that is no JSON where the word should be.
      const word = typeof error === "string" && /^[a-z_]{2,60}$/.test(error) ? error : undefined;
      if (word === undefined) return new LostAnswer("Slack's answer cannot be read", false, cause);
      return TRANSIENT.has(word) ? new LostAnswer(`Slack says ${word}`, false, cause) : new SlackRefusal(word, cause);
    }
    case "slack_webapi_request_error":
    case undefined: {
      const why = reasons(known === undefined ? thrown : known.original);
      const away = NEVER_THERE.exec(why);
      if (away !== null) return new LostAnswer(`Slack cannot be reached (${away[0]})`, true, cause);
      const late = /timeout|aborted/i.test(why);
      return new LostAnswer(
        late ? "Slack does not answer in time" : `the connection to Slack broke (${why})`,
        false,
        cause,
      );
    }
    default:
      return known satisfies never;
  }
}

/** A thrown value's message, and those of its causes. */
function reasons(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const code = "code" in thrown && typeof thrown.code === "string" ? ` ${thrown.code}` : "";
  // Happy Eyeballs: an AggregateError without a message of its own.
  const several = thrown instanceof AggregateError ? thrown.errors.map(reasons).join(", ") : "";
  const cause = thrown.cause === undefined ? "" : `: ${reasons(thrown.cause)}`;
  return `${thrown.message}${code}${several}${cause}`;
}

/** Tokens that will not do, until a person changes something. */
const LOGIN: Readonly<Record<string, string>> = {
  invalid_auth: "Slack does not know this token",
  not_authed: "Slack does not know this token",
  token_revoked: "the token was revoked",
  token_expired: "the token has expired",
  account_inactive: "the app was removed from the workspace",
  user_removed_from_team: "the app was removed from the workspace",
  team_disabled: "the workspace is disabled",
  not_allowed_token_type: "this is another kind of token (bot_token begins with xoxb-, app_token with xapp-)",
  missing_scope: "the token lacks a scope (see adapters/slack/manifest.yml)",
  org_login_required: "the workspace is moving to another organisation",
};

/** Why a login cannot succeed, or undefined where trying again may help. */
export function loginRefusal(error: unknown): string | undefined {
  return error instanceof SlackRefusal ? LOGIN[error.code] : undefined;
}

/** Why a room cannot be told, as a person would put it. */
export function roomRefusal(code: string, room: string, bot: string): string {
  if (code === "not_in_channel") return `the bot is not in ${room}: /invite @${bot}`;
  if (code === "channel_not_found") return `there is no channel ${room}, or it is private and the bot was not invited`;
  if (code === "is_archived") return `${room} is archived`;
  return `${room} cannot be told: Slack says ${code}`;
}
