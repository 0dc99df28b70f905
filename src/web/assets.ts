/** What pages load besides themselves: the stylesheet and the scripts of `client/`, compiled; nothing from anywhere else. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Hono } from "hono";
import { PACKAGE_FOLDER } from "../package.ts";
import { STYLE } from "./style.ts";
import { UPLOT_FOLDER } from "./trends/style.ts";

/** Compiled by `npm run build`, which setup.sh runs; a page without its scripts shows the same facts. */
const COMPILED = join(PACKAGE_FOLDER, "dist", "src", "web", "client");
/** Addresses carry the version, so a new one is a new address. */
const CACHED = "public, max-age=3600";
/** Modules that others import have none: a browser asks whether they are still the same. */
const ASKED_AGAIN = "no-cache";

export function assetRoutes(): Hono {
  const app = new Hono();
  const script = (text: string, caching = CACHED): Response =>
    new Response(text, { headers: { "content-type": "text/javascript; charset=utf-8", "cache-control": caching } });

  app.get("/style.css", (c) =>
    c.body(STYLE, 200, { "content-type": "text/css; charset=utf-8", "cache-control": CACHED }),
  );

  // The only small file that uPlot comes with is a script for the whole window; one line makes a module of it.
  app.get("/uplot.js", async () => {
    const text = await readFile(join(UPLOT_FOLDER, "uPlot.iife.min.js"), "utf8");
    return script(`${text}\nexport default uPlot;\n`);
  });

  app.get("/:file{[a-z0-9][a-z0-9-]*\\.js}", async (c) => {
    // What cannot be read is not there: a name may be made up by whoever asks.
    const text = await readFile(join(COMPILED, c.req.param("file")), "utf8").catch(() => undefined);
    if (text === undefined) return c.notFound();
    const caching = c.req.query("v") === undefined ? ASKED_AGAIN : CACHED;
    return script(text.replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n"), caching);
  });
  return app;
}
