/**
 * Where workers on other machines bring what their builds left behind: `PUT /worker/files/<build>/<attempt>/<path>`. A worker shows
 * who it is with its token, and is believed only for builds that it has, and only for the attempt that counts.
 */
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import type { ReadableStream as NodeStream } from "node:stream/web";
import { type Context, Hono } from "hono";
import type { Build } from "../builds/build.ts";
import { clearKept } from "../builds/take-over.ts";
import { clearIncoming, DamagedError, takeIn } from "../delivery/incoming.ts";
import { areaOf, filesOf, placeOf } from "../delivery/places.ts";
import { workerOfToken } from "../delivery/worker-tokens.ts";
import { describeError, UserError } from "../errors.ts";
import { BuildNumber } from "../names.ts";
import { isRedisAway } from "../queue/redis.ts";
import type { WebDeps } from "./deps.ts";

type Deps = Pick<WebDeps, "redis" | "config" | "builds" | "log">;

/** To be mounted before whatever asks who somebody is. */
export function workerFileRoutes({ redis, config, builds, log }: Deps): Hono {
  const { dataDir } = config;
  const app = new Hono();
  // What an earlier process was at is sent again.
  const cleared = clearIncoming(dataDir).catch((error: unknown) =>
    log.warn({ err: error }, "files that were on their way could not be removed"),
  );

  /** The worker that a token is for. */
  app.get("/worker", async (c) => {
    const worker = await workerOf(c);
    return worker === undefined ? unknownWorker(c) : c.json({ worker });
  });

  app.delete("/worker/files/:number/:attempt", async (c) => {
    const mine = await theirs(c);
    if (mine instanceof Response) return mine;
    await clearKept({ config }, mine.build);
    return c.text("Begun.\n");
  });

  app.put("/worker/files/:number/:attempt/*", async (c) => {
    const mine = await theirs(c);
    if (mine instanceof Response) return mine;
    const path = decoded(c, 5);
    const place = path === undefined ? undefined : placeOf(dataDir, mine.build, path);
    if (path === undefined || place === undefined) return c.text("No file of a build has that path.\n", 400);
    const bytes = Number(c.req.header("x-bytes") ?? Number.NaN);
    const sha256 = c.req.header("x-sha256") ?? "";
    if (!Number.isSafeInteger(bytes) || bytes < 0 || !/^[0-9a-f]{64}$/.test(sha256)) {
      return c.text("X-Bytes and X-Sha256 have to say what comes.\n", 400);
    }
    await cleared;
    try {
      const counts = async () => (await theirs(c)) instanceof Response === false;
      const stays = await takeIn(dataDir, place, bodyOf(c), { bytes, sha256 }, counts);
      return stays ? c.text("Kept.\n", 201) : superseded(c, mine.build);
    } catch (error) {
      if (error instanceof DamagedError) return c.text(`What came was ${error.message}. Send it again.\n`, 422);
      log.warn({ err: error, build: mine.build.number, path }, "a worker's file could not be kept");
      return c.text(`It could not be kept (${codeOf(error)}).\n`, 507);
    }
  });

  /** Results of any build, to be compared with; nothing else is for workers. */
  app.get("/worker/files/:number/:attempt/*", async (c) => {
    const worker = await workerOf(c);
    if (worker === undefined) return unknownWorker(c);
    const build = await found(c);
    if (build instanceof Response) return build;
    const path = decoded(c, 5);
    const results = (await filesOf(dataDir, build)).filter((file) => areaOf(file.path) === "results");
    if (path === "results") return c.json(results.map((file) => ({ path: file.path, bytes: file.bytes })));
    const file = results.find((each) => each.path === path);
    if (file === undefined) return c.text("There is no such file.\n", 404);
    const content = createReadStream(file.file);
    return new Response(new ReadableStream(reading(content)), { headers: { "content-length": String(file.bytes) } });
  });

  app.onError((error, c) => {
    log.error({ err: error, path: c.req.path }, "a worker could not be answered");
    return c.text(isRedisAway(error) ? "Redis does not answer. Try again.\n" : "That went wrong here.\n", 503);
  });
  return app;

  async function workerOf(c: Context): Promise<string | undefined> {
    const [, token = ""] = /^Bearer (\S+)$/.exec(c.req.header("authorization") ?? "") ?? [];
    return workerOfToken(redis, token);
  }

  function unknownWorker(c: Context): Response {
    return c.text("No worker has that token; docker-ci worker-token makes one.\n", 401);
  }

  async function found(c: Context): Promise<Build | Response> {
    const number = BuildNumber.safeParse(c.req.param("number"));
    try {
      if (number.success) return await builds.get(number.data);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
    return c.text("There is no such build.\n", 404);
  }

  /** The build, if the worker that asks is at this attempt of it, or was at its end. */
  async function theirs(c: Context): Promise<{ readonly build: Build } | Response> {
    const worker = await workerOf(c);
    if (worker === undefined) return unknownWorker(c);
    const build = await found(c);
    if (build instanceof Response) return build;
    if (build.attempt !== Number(c.req.param("attempt"))) return superseded(c, build);
    if (build.ranOn?.worker === worker) return { build };
    const theirs = build.ranOn === undefined ? "no worker yet" : build.ranOn.worker;
    return c.text(`The token is that of ${worker}, and #${build.number} is on ${theirs}.\n`, 403);
  }
}

function superseded(c: Context, { number, attempt, ranOn }: Build): Response {
  return c.text(`#${number} is at attempt ${attempt}, on ${ranOn?.worker ?? "no worker yet"}.\n`, 409);
}

/** What stands in the address behind so many slashes. */
function decoded(c: Context, slashes: number): string | undefined {
  try {
    return new URL(c.req.url).pathname.split("/").slice(slashes).map(decodeURIComponent).join("/");
  } catch {
    // URIError: `%` without two digits behind it.
    return undefined;
  }
}

function bodyOf(c: Context): Readable {
  const { body } = c.req.raw;
  // Node's own type of the same stream has one method more that nobody calls here.
  return body === null ? Readable.from([]) : Readable.fromWeb(body as NodeStream<Uint8Array>);
}

function reading(content: Readable): UnderlyingDefaultSource<Uint8Array> {
  const chunks = content[Symbol.asyncIterator]();
  return {
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    cancel: () => void content.destroy(),
  };
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : describeError(error);
}
