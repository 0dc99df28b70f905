/** The routes. Everything a page shows comes from the records and the logs; nothing here changes anything. */
import type { Readable } from "node:stream";
import { type Context, Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { stream, streamSSE } from "hono/streaming";
import type { Logger } from "pino";
import { type Build, isFinished } from "../builds/build.ts";
import type { Builds } from "../builds/builds.ts";
import type { LiveChunk } from "../builds/live-log.ts";
import type { LogLine } from "../builds/log-files.ts";
import type { Config } from "../config.ts";
import { UserError } from "../errors.ts";
import { BuildNumber, ProjectName } from "../names.ts";
import type { OutboxState } from "../queue/outbox-rooms.ts";
import { isRedisAway } from "../queue/redis.ts";
import { OutboxPage } from "./outbox-page.tsx";
import { BuildPage, HomePage, MissingPage, ProjectPage } from "./pages.tsx";
import { STYLE } from "./style.ts";

const HOME_BUILDS = 20;
const PROJECT_BUILDS = 50;
const TAIL_LINES = 60;

export interface WebDeps {
  readonly config: Config;
  readonly builds: Builds;
  readonly version: string;
  readonly log: Logger;
  /** Resolves when everything that a build needs answers; rejects with what does not. */
  health(): Promise<Record<string, string>>;
  /** What waits to be said, where and why. */
  outbox(): Promise<OutboxState>;
  openLog(number: BuildNumber): Promise<Readable | undefined>;
  logLines(number: BuildNumber, count: number): Promise<readonly LogLine[] | undefined>;
  followLog(number: BuildNumber, signal: AbortSignal): AsyncIterable<LiveChunk>;
}

export function createWeb({ config, builds, version, log, ...deps }: WebDeps): Hono {
  const app = new Hono();
  app.use(
    secureHeaders({
      contentSecurityPolicy: { defaultSrc: ["'none'"], styleSrc: ["'self'"], imgSrc: ["data:"], baseUri: ["'none'"] },
      xFrameOptions: "DENY",
    }),
  );

  app.get("/style.css", (c) => c.body(STYLE, 200, { "content-type": "text/css", "cache-control": "max-age=3600" }));

  app.get("/", async (c) => {
    const latest = await builds.latest(HOME_BUILDS);
    const live = latest.some((build) => !isFinished(build));
    return c.html(<HomePage projects={[...config.projects.values()]} builds={latest} version={version} live={live} />);
  });

  app.get("/projects/:project", async (c) => {
    const name = ProjectName.safeParse(c.req.param("project"));
    const project = name.success ? config.projects.get(name.data) : undefined;
    if (project === undefined) return missing(c, "There is no project of that name.");
    const latest = await builds.latest(PROJECT_BUILDS, project.name);
    const live = latest.some((build) => !isFinished(build));
    return c.html(<ProjectPage project={project} builds={latest} version={version} live={live} />);
  });

  app.get("/builds/:number", async (c) => {
    const build = await find(c.req.param("number"));
    if (build === undefined) return missing(c, "There is no build of that number.");
    const tail = await deps.logLines(build.number, TAIL_LINES);
    return c.html(<BuildPage build={build} tail={tail} version={version} />);
  });

  app.get("/builds/:number/log", async (c) => {
    const build = await find(c.req.param("number"));
    if (build === undefined) return missing(c, "There is no build of that number.");
    if (c.req.header("accept")?.includes("text/event-stream") === true) return follow(c, build);
    const whole = await deps.openLog(build.number);
    if (whole === undefined) return c.text("There is no log yet.\n", build.state.kind === "queued" ? 200 : 404);
    c.header("content-type", "text/plain; charset=utf-8");
    return stream(
      c,
      async (body) => {
        body.onAbort(() => void whole.destroy());
        for await (const chunk of whole) await body.write(chunk);
      },
      async (error) => log.error({ err: error, build: build.number }, "a log could not be read to its end"),
    );
  });

  app.get("/outbox", async (c) => {
    const state = await deps.outbox();
    return c.html(<OutboxPage {...state} now={new Date()} version={version} />);
  });
  app.get("/api/outbox", async (c) => c.json(await deps.outbox()));

  app.get("/healthz", async (c) => {
    try {
      return c.json({ status: "ok", version, ...(await deps.health()) });
    } catch (error) {
      return c.json({ status: "unwell", version, reason: error instanceof Error ? error.message : String(error) }, 503);
    }
  });

  app.notFound((c) => missing(c, "There is nothing at this address."));
  app.onError((error, c) => {
    log.error({ err: error, path: c.req.path }, "request failed");
    const text = isRedisAway(error)
      ? "Redis does not answer at the moment; try again in a minute.\n"
      : "That went wrong on our side; the log has the details.\n";
    return c.text(text, isRedisAway(error) ? 503 : 500);
  });
  return app;

  function missing(c: Context, what: string) {
    return c.html(<MissingPage what={what} version={version} />, 404);
  }

  async function find(text: string): Promise<Build | undefined> {
    const number = BuildNumber.safeParse(text);
    if (!number.success) return undefined;
    try {
      return await builds.get(number.data);
    } catch (error) {
      if (error instanceof UserError) return undefined;
      throw error;
    }
  }

  /** Events `chunk` with the text as JSON, then `end` with the state; of a build that is over, the kept log in chunks. */
  function follow(c: Context, build: Build) {
    return streamSSE(c, async (events) => {
      const gone = new AbortController();
      events.onAbort(() => gone.abort());
      if (isFinished(build)) {
        const kept = await deps.openLog(build.number);
        kept?.setEncoding("utf8");
        for await (const text of kept ?? []) await events.writeSSE({ event: "chunk", data: JSON.stringify(text) });
        await events.writeSSE({ event: "end", data: build.state.kind });
        return;
      }
      for await (const { at, text } of deps.followLog(build.number, gone.signal)) {
        if (text !== "") await events.writeSSE({ event: "chunk", id: String(at), data: JSON.stringify(text) });
        else {
          const now = await builds.get(build.number);
          if (isFinished(now)) {
            await events.writeSSE({ event: "end", data: now.state.kind });
            return;
          }
        }
      }
    });
  }
}
