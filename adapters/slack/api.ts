/** Calls of Slack's Web API: limits obeyed, faults of the moment sat out, answers checked. */
import { setTimeout as sleep } from "node:timers/promises";
import type { webApi } from "@slack/bolt";
import type { Logger } from "pino";
import type { z } from "zod";
import type { SlackOptions, SlackTiming } from "./options.ts";
import { LostAnswer, SlackRefusal, sortThrown, TooMany } from "./refusal.ts";

/** How often a call is made that Slack answers with a fault of its own. */
const TRIES = 4;
/** More than this in a row, and whoever asked shall hear that Slack is overrun. */
const LIMITED_TRIES = 20;

/**
 * - `safe`: to do it twice is to do it once, so a lost answer is asked for again.
 * - `once`: a lost answer is thrown, as only the caller can find out whether it was done.
 */
export type Repeat = "safe" | "once";

export type Arguments = Record<string, unknown>;

export class SlackApi {
  readonly #options: SlackOptions;
  readonly #timing: SlackTiming;
  readonly #stopped: AbortSignal;
  readonly #log: Logger;
  #client: webApi.WebClient | undefined;
  /** Until when a method must not be called. */
  readonly #notBefore = new Map<string, number>();
  /** `performance.now()` of the last answer, whatever it said. */
  answeredAt = Number.NEGATIVE_INFINITY;

  constructor(options: SlackOptions, timing: SlackTiming, stopped: AbortSignal, log: Logger) {
    this.#options = options;
    this.#timing = timing;
    this.#stopped = stopped;
    this.#log = log;
  }

  /** Uses the library from now on; nothing can be called before. */
  use({ WebClient }: typeof webApi, logger: webApi.Logger): void {
    const { apiUrl, botToken, version } = this.#options;
    this.#client ??= new WebClient(botToken, {
      slackApiUrl: apiUrl,
      logger,
      timeout: this.#timing.callTimeoutMs,
      // Ours to decide, call by call: the library repeats a post whose answer was lost, and says it twice.
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      headers: { "User-Agent": version },
      fetch: (url, init) => this.fetch(url, init),
    });
  }

  /** Ends at once when the chat is disposed of. */
  fetch(url: string | URL | Request, init: RequestInit = {}): Promise<Response> {
    const signals = [this.#stopped, ...(init.signal === undefined || init.signal === null ? [] : [init.signal])];
    return fetch(url, { ...init, signal: AbortSignal.any(signals) });
  }

  /**
   * @param answer what a good answer looks like; another one is as good as none.
   * @throws SlackRefusal when Slack says no, LostAnswer when nothing readable came, TooMany after being limited for very long.
   */
  async call<T>(method: string, args: Arguments, answer: z.ZodType<T>, repeat: Repeat, tries = TRIES): Promise<T> {
    const limit = method === "chat.postMessage" ? `${method} ${String(args.channel)}` : method;
    let faults = 0;
    let limited = 0;
    for (;;) {
      await this.#untilAllowed(limit);
      try {
        return await this.#once(method, args, answer);
      } catch (thrown) {
        const error = sortThrown(thrown);
        if (!(error instanceof LostAnswer)) this.answeredAt = performance.now();
        if (error instanceof SlackRefusal || this.#stopped.aborted) throw error;
        if (error instanceof TooMany) {
          limited += 1;
          this.#log.debug({ method, waitMs: error.waitMs }, "Slack wants fewer calls");
          this.#notBefore.set(limit, performance.now() + error.waitMs);
          // A single try is for what can be left out.
          if (tries === 1 || limited >= LIMITED_TRIES) throw error;
          continue;
        }
        faults += 1;
        if (faults >= tries || (repeat === "once" && !error.undone)) throw error;
        this.#log.debug({ method, reason: error.message }, "calling Slack again");
        await this.pause(this.#timing.callRetryMs * 2 ** (faults - 1));
      }
    }
  }

  /** Whether a method has to wait for Slack's leave; edits that may be dropped are not begun then. */
  isLimited(method: string): boolean {
    return (this.#notBefore.get(method) ?? 0) > performance.now();
  }

  /** Waits, or throws LostAnswer when the chat is disposed of first. */
  async pause(ms: number): Promise<void> {
    try {
      await sleep(ms, undefined, { signal: this.#stopped });
    } catch (error) {
      throw new LostAnswer("docker-ci is stopping", true, { cause: error });
    }
  }

  async #untilAllowed(limit: string): Promise<void> {
    for (;;) {
      const waitMs = (this.#notBefore.get(limit) ?? 0) - performance.now();
      if (waitMs <= 0) break;
      await this.pause(waitMs);
    }
    this.#notBefore.delete(limit);
  }

  async #once<T>(method: string, args: Arguments, answer: z.ZodType<T>): Promise<T> {
    if (this.#client === undefined || this.#stopped.aborted) throw new LostAnswer("not connected yet", true);
    const given: unknown = await this.#client.apiCall(method, args);
    const parsed = answer.safeParse(given);
    if (!parsed.success) throw new LostAnswer("Slack's answer cannot be read", false, { cause: parsed.error });
    this.answeredAt = performance.now();
    return parsed.data;
  }
}
