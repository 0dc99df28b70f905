/** Charts as pictures in a thread. A courtesy: the line of the reply says the same, so a picture that fails is only logged. */
import type { Logger } from "pino";
import { z } from "zod";
import type { Chart } from "../../src/chat/reply.ts";
import { describeError } from "../../src/errors.ts";
import type { SlackApi } from "./api.ts";

const UploadUrl = z.object({ upload_url: z.url(), file_id: z.string() });
const Completed = z.looseObject({});
const UPLOAD_TIMEOUT_MS = 30_000;

export class Pictures {
  readonly #api: SlackApi;
  readonly #draw: ((chart: Chart) => Promise<Buffer>) | undefined;
  readonly #log: Logger;

  constructor(api: SlackApi, draw: ((chart: Chart) => Promise<Buffer>) | undefined, log: Logger) {
    this.#api = api;
    this.#draw = draw;
    this.#log = log;
  }

  /** Never throws. */
  async show(chart: Chart, channel: string, thread: string): Promise<void> {
    if (this.#draw === undefined) return;
    try {
      await this.#upload(chart, await this.#draw(chart), channel, thread);
    } catch (error) {
      this.#log.warn({ channel, reason: describeError(error) }, "a picture could not be shown");
    }
  }

  /** docs.slack.dev/messaging/working-with-files: ask where to, send, say where it belongs. */
  async #upload(chart: Chart, png: Buffer, channel: string, thread: string): Promise<void> {
    const about = { filename: "chart.png", length: png.length, alt_txt: chart.title.slice(0, 1000) };
    const { upload_url, file_id } = await this.#api.call("files.getUploadURLExternal", about, UploadUrl, "safe");
    const answer = await this.#api.fetch(upload_url, {
      method: "POST",
      headers: { "Content-Type": "image/png" },
      body: new Uint8Array(png),
      signal: AbortSignal.timeout(UPLOAD_TIMEOUT_MS),
    });
    if (!answer.ok) throw new Error(`Slack answers ${answer.status} to the upload`);
    const files = [{ id: file_id, title: chart.title.slice(0, 250) }];
    const where = { files, channel_id: channel, thread_ts: thread };
    await this.#api.call("files.completeUploadExternal", where, Completed, "once");
  }
}
