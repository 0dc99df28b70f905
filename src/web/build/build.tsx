/** The pages of a build and of its log. */
import { type Context, Hono } from "hono";
import { stream, streamSSE } from "hono/streaming";
import { type Build, isFinished } from "../../builds/build.ts";
import { UserError } from "../../errors.ts";
import { BuildNumber } from "../../names.ts";
import type { Frame, WebDeps } from "../deps.ts";
import { BuildPage } from "./page.tsx";

const TAIL_LINES = 60;

export function buildRoutes({ builds, log, logLines, openLog, followLog }: WebDeps, frame: Frame): Hono {
  const app = new Hono();
  app.get("/builds/:number", async (c) => {
    const build = await find(c.req.param("number"));
    if (build === undefined) return frame.missing(c, "There is no build of that number.");
    const tail = await logLines(build.number, TAIL_LINES);
    return c.html(<BuildPage build={build} tail={tail} bar={await frame.bar(c)} />);
  });

  app.get("/builds/:number/log", async (c) => {
    const build = await find(c.req.param("number"));
    if (build === undefined) return frame.missing(c, "There is no build of that number.");
    if (c.req.header("accept")?.includes("text/event-stream") === true) return follow(c, build);
    const whole = await openLog(build.number);
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

  return app;

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
        const kept = await openLog(build.number);
        kept?.setEncoding("utf8");
        for await (const text of kept ?? []) await events.writeSSE({ event: "chunk", data: JSON.stringify(text) });
        await events.writeSSE({ event: "end", data: build.state.kind });
        return;
      }
      for await (const { at, text } of followLog(build.number, gone.signal)) {
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
