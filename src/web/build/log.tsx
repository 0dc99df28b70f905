/** `/builds/:n/log`: the log as text, whole, by bytes or by lines; what the viewer asks for; and pages of it without scripts. */
import type { Readable } from "node:stream";
import { type Context, Hono } from "hono";
import { type Build, isFinished } from "../../builds/build.ts";
import { findLines, type LogOutline, linesFrom, outlineOf } from "../../builds/log-outline.ts";
import { rangeOf } from "../byte-range.ts";
import type { Frame, WebDeps } from "../deps.ts";
import { sendLog } from "../sent-log.ts";
import { findBuild, NO_BUILD } from "./find-build.ts";
import { createFollow } from "./follow.ts";
import { FoundPage, LogPage } from "./log-page.tsx";

const LINES_MAX = 5_000;
const LINES_DEFAULT = 500;
/** Lines that a search names; the count beside them is whole. */
const FOUND_MAX = 10_000;
const FOUND_ON_PAGE = 500;
const WORDS_MAX = 200;
const OUTLINES_KEPT = 50;

export function logRoutes(deps: WebDeps, frame: Frame): Hono {
  const { builds, log, openLog } = deps;
  const app = new Hono();
  const follow = createFollow(deps);
  /** Of builds that are over, whose logs change no more. */
  const outlines = new Map<number, Promise<LogOutline>>();

  app.get("/builds/:number/log", async (c) => {
    const build = await findBuild(builds, c.req.param("number"));
    if (build === undefined) return frame.missing(c, NO_BUILD);
    if (c.req.header("accept")?.includes("text/event-stream") === true) return follow(c, build);
    const whole = await openLog(build.number);
    if (whole === undefined) return c.text("There is no log yet.\n", build.state.kind === "queued" ? 200 : 404);
    const from = countOf(c.req.query("from"));
    if (from !== undefined) {
      const lines = await linesFrom(whole, from, Math.min(LINES_MAX, countOf(c.req.query("lines")) ?? LINES_DEFAULT));
      return c.text(lines.map(({ text }) => `${text}\n`).join(""), 200, caching(build));
    }
    c.header("content-type", "text/plain; charset=utf-8");
    c.header("accept-ranges", "bytes");
    const wanted = c.req.header("range");
    if (wanted === undefined) return send(c, build, whole);
    const { bytes } = await outlineFor(build, whole);
    const range = rangeOf(wanted, bytes);
    const again = await openLog(build.number);
    if (again === undefined) return c.text("There is no log any more.\n", 404);
    if (range === undefined) return send(c, build, again);
    if (range === "outside") {
      again.destroy();
      return c.body(null, 416, { "content-range": `bytes */${bytes}` });
    }
    c.status(206);
    c.header("content-range", `bytes ${range.first}-${range.last}/${bytes}`);
    c.header("content-length", String(range.last - range.first + 1));
    return send(c, build, again, range);
  });

  app.get("/builds/:number/log/outline", async (c) => {
    const build = await findBuild(builds, c.req.param("number"));
    const whole = build === undefined ? undefined : await openLog(build.number);
    if (build === undefined) return c.json({ error: "There is no such build." }, 404);
    // Nothing wrong: it waits, or its log is elsewhere or gone.
    if (whole === undefined) return c.body(null, 204);
    return c.json({ ...(await outlineFor(build, whole)), isOver: isFinished(build) });
  });

  app.get("/builds/:number/log/search", async (c) => {
    const build = await findBuild(builds, c.req.param("number"));
    const whole = build === undefined ? undefined : await openLog(build.number);
    if (whole === undefined) return c.json({ error: "There is no log." }, 404);
    const { count, lines } = await findLines(whole, wordsOf(c.req.query("q")), FOUND_MAX);
    return c.json({ count, lines: lines.map(({ number }) => number) });
  });

  app.get("/builds/:number/log/view", async (c) => {
    const build = await findBuild(builds, c.req.param("number"));
    if (build === undefined) return frame.missing(c, NO_BUILD);
    const words = wordsOf(c.req.query("q"));
    const whole = await openLog(build.number);
    if (whole === undefined) return frame.missing(c, `There is no log of #${build.number} on this machine.`);
    const bar = await frame.bar(c);
    if (words !== "") {
      return c.html(
        <FoundPage build={build} words={words} found={await findLines(whole, words, FOUND_ON_PAGE)} bar={bar} />,
      );
    }
    const { lines: count } = await outlineFor(build, whole);
    const from = Math.min(countOf(c.req.query("from")) ?? Math.max(1, count - LINES_DEFAULT + 1), Math.max(1, count));
    const again = await openLog(build.number);
    const lines = again === undefined ? [] : await linesFrom(again, from, LINES_DEFAULT);
    return c.html(<LogPage build={build} lines={lines} from={from} count={count} step={LINES_DEFAULT} bar={bar} />);
  });

  return app;

  /** The stream is read to its end, or closed where the outline is known. */
  async function outlineFor(build: Build, whole: Readable): Promise<LogOutline> {
    const known = outlines.get(build.number);
    if (known !== undefined) {
      whole.destroy();
      return known;
    }
    const outline = outlineOf(whole);
    if (!isFinished(build)) return outline;
    outlines.set(build.number, outline);
    outline.catch(() => outlines.delete(build.number));
    const [oldest] = outlines.keys();
    if (outlines.size > OUTLINES_KEPT && oldest !== undefined) outlines.delete(oldest);
    return outline;
  }

  function send(c: Context, build: Build, whole: Readable, range?: { readonly first: number; readonly last: number }) {
    const failed = (error: unknown) =>
      log.error({ err: error, build: build.number }, "a log could not be read to its end");
    return sendLog(c, whole, failed, range);
  }
}

/** What is over does not change. */
function caching(build: Build): Record<string, string> {
  return { "cache-control": isFinished(build) ? "private, max-age=3600" : "no-store" };
}

function countOf(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,11}$/.test(text) ? Number(text) : undefined;
}

function wordsOf(text: string | undefined): string {
  return (text ?? "").slice(0, WORDS_MAX);
}
