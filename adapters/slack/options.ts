/** What one Slack workspace needs to know, what it keeps, and how long things may take. */
import type { Logger } from "pino";
import type { Chart } from "../../src/chat/reply.ts";
import type { NetworkName } from "../../src/names.ts";
import type { SlackJournal } from "./journal.ts";
import type { SlackMemory } from "./memory.ts";

export interface SlackOptions {
  readonly name: NetworkName;
  /** `xoxb-…`, for the Web API. */
  readonly botToken: string;
  /** `xapp-…`, for Socket Mode. */
  readonly appToken: string;
  /** With a slash at its end. */
  readonly apiUrl: string;
  /** Channel ids. Where there are any, the bot answers in these only (and in direct messages). */
  readonly channels: readonly string[];
  /** Sent as the user agent's beginning: `docker-ci/1.0.0`. */
  readonly version: string;
}

export interface SlackTiming {
  /** How long a call of the Web API may take before its answer is lost. */
  readonly callTimeoutMs: number;
  /** From opening the socket until Slack says hello. */
  readonly helloTimeoutMs: number;
  /** The first wait between attempts to connect; see `backoff.ts`. */
  readonly reconnectMinMs: number;
  readonly reconnectMaxMs: number;
  /** Between attempts with tokens that were refused. */
  readonly loginRetryMs: number;
  /** How long without an answer of the Web API before it is asked whether it is there. Under a minute (`ChatState`). */
  readonly proofMs: number;
  /** How long the socket may go without a pong; pings go out three times as often. */
  readonly pongTimeoutMs: number;
  /** The first wait before a call is repeated; doubled each time. */
  readonly callRetryMs: number;
  /** The least time between two edits of one message. */
  readonly editGapMs: number;
  /** The least time between any two edits: Tier 3 is 50 a minute, and results must find room beside them. */
  readonly anyEditGapMs: number;
}

export const DEFAULT_TIMING: SlackTiming = {
  callTimeoutMs: 15_000,
  helloTimeoutMs: 15_000,
  reconnectMinMs: 500,
  reconnectMaxMs: 30_000,
  loginRetryMs: 60_000,
  proofMs: 30_000,
  pongTimeoutMs: 5_000,
  callRetryMs: 400,
  editGapMs: 3_000,
  anyEditGapMs: 1_500,
};

export interface SlackDeps {
  readonly log: Logger;
  readonly memory: SlackMemory;
  readonly journal: SlackJournal;
  /** 0 to 1, for jitter; default `Math.random`. */
  readonly random?: () => number;
  /** A chart as PNG; without it no picture is shown. */
  readonly drawChart?: (chart: Chart) => Promise<Buffer>;
  readonly timing?: Partial<SlackTiming>;
}
