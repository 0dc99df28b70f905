/** The way back to a slash command that was given where the bot is not a member (docs.slack.dev, "response_url"). */
import type { SlackApi } from "./api.ts";
import type { SlackMessage } from "./blocks.ts";
import { LostAnswer } from "./refusal.ts";

/** Slack takes answers for half an hour. */
const GOOD_FOR_MS = 29 * 60_000;
const MOST = 1_000;
const TIMEOUT_MS = 10_000;

export class ResponseUrls {
  readonly #api: SlackApi;
  readonly #urls = new Map<string, { readonly url: string; readonly until: number }>();

  constructor(api: SlackApi) {
    this.#api = api;
  }

  keep(room: string, user: string, url: string): void {
    if (this.#urls.size >= MOST) this.#urls.clear();
    this.#urls.set(`${room} ${user}`, { url, until: performance.now() + GOOD_FOR_MS });
  }

  /** That of the last command of a person in a room. */
  take(room: string, user: string): string | undefined {
    const kept = this.#urls.get(`${room} ${user}`);
    return kept === undefined || kept.until < performance.now() ? undefined : kept.url;
  }

  /** @throws LostAnswer */
  async answer(url: string, message: SlackMessage, whisper: boolean): Promise<void> {
    let status: number | string;
    try {
      const answer = await this.#api.fetch(url, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ ...message, response_type: whisper ? "ephemeral" : "in_channel" }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (answer.ok) return;
      status = answer.status;
    } catch (error) {
      throw new LostAnswer("Slack does not take the answer to a slash command", false, { cause: error });
    }
    throw new LostAnswer(`Slack answers ${status} to the answer of a slash command`, false);
  }
}
