/** Brings files to the bot's own page, with the worker's token. */
import { createReadStream } from "node:fs";
import { Readable, Transform } from "node:stream";
import { z } from "zod";
import type { Secret } from "../config.ts";
import { describeError, RuntimeError } from "../errors.ts";
import { type Depot, type Sent, SupersededError } from "./depot.ts";
import { takeIn } from "./incoming.ts";
import { placeOf } from "./places.ts";

/** So long nothing may move before the bot counts as away. */
const IDLE_MS = 30_000;

const Greeted = z.object({ worker: z.string() });
const Listed = z.array(z.object({ path: z.string(), bytes: z.number().int().nonnegative() }));

/** @param url of the page. */
export function httpDepot(url: string, token: Secret): Depot {
  const address = ({ number, attempt }: Sent, path: string): string =>
    [`${url}/worker/files/${number}/${attempt}`, ...path.split("/").filter(Boolean).map(encodeURIComponent)].join("/");

  async function ask(method: string, to: string, signal: AbortSignal, more: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${token.reveal()}`, ...more.headers };
    let answer: Response;
    try {
      answer = await fetch(to, { method, redirect: "error", ...more, headers, signal });
    } catch (error) {
      signal.throwIfAborted();
      throw new RuntimeError(`${url} does not answer (${reasonOf(error)})`, { cause: error });
    }
    if (answer.ok) return answer;
    const said = (await answer.text().catch(() => "")).trim().slice(0, 200);
    if (answer.status === 409) throw new SupersededError(said);
    const hopeless = [400, 401, 403].includes(answer.status);
    throw new RuntimeError(`${url} says ${answer.status}: ${said}`, { retryable: !hopeless });
  }

  return {
    name: url,
    async greet(worker, signal) {
      const asked = AbortSignal.any([signal, AbortSignal.timeout(IDLE_MS)]);
      const owner = Greeted.parse(await (await ask("GET", `${url}/worker`, asked)).json()).worker;
      if (owner !== worker)
        throw new RuntimeError(`worker_token is that of ${owner}, and worker_name is ${worker}`, { retryable: false });
    },
    async begin(sent, signal) {
      await ask("DELETE", address(sent, ""), AbortSignal.any([signal, AbortSignal.timeout(IDLE_MS)]));
    },

    async put(sent, { path, file, bytes, sha256: hash }, signal) {
      const idle = watchdog();
      const moving = new Transform({
        transform(chunk, _encoding, done) {
          idle.moved();
          done(undefined, chunk);
        },
      });
      const source = createReadStream(file);
      source.once("error", (error) => moving.destroy(error));
      try {
        await ask("PUT", address(sent, path), AbortSignal.any([signal, idle.signal]), {
          body: Readable.toWeb(source.pipe(moving)) as BodyInit,
          headers: { "x-bytes": String(bytes), "x-sha256": hash, "content-type": "application/octet-stream" },
          // What fetch calls a body that is sent while it is read.
          ...{ duplex: "half" },
        });
      } finally {
        idle.end();
        source.destroy();
      }
    },

    async fetchResults(owner, dataDir, signal) {
      const limited = () => AbortSignal.any([signal, AbortSignal.timeout(IDLE_MS)]);
      const listed = Listed.parse(await (await ask("GET", address(owner, "results"), limited())).json());
      for (const { path, bytes } of listed) {
        const place = placeOf(dataDir, owner, path);
        if (place === undefined || !path.startsWith("results/")) continue;
        const { body } = await ask("GET", address(owner, path), limited());
        const content = Buffer.from(await new Response(body).arrayBuffer());
        await takeIn(dataDir, place, Readable.from([content]), { bytes, sha256: undefined }, async () => true);
      }
    },
  };
}

/** Aborts when nothing has moved for a while. */
function watchdog() {
  const controller = new AbortController();
  const give = (): void => controller.abort(new RuntimeError(`nothing moved for ${IDLE_MS / 1_000} s`));
  let timer = setTimeout(give, IDLE_MS);
  return {
    signal: controller.signal,
    moved() {
      clearTimeout(timer);
      timer = setTimeout(give, IDLE_MS);
    },
    end: () => clearTimeout(timer),
  };
}

/** fetch itself says only that it failed. */
function reasonOf(error: unknown): string {
  return error instanceof Error && error.cause !== undefined ? describeError(error.cause) : describeError(error);
}
