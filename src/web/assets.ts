/** What pages load besides themselves: the stylesheet and the scripts of `client/`, compiled; nothing from anywhere else. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Hono } from "hono";
import { PACKAGE_FOLDER } from "../package.ts";
import { STYLE } from "./style.ts";

/** Compiled by `npm run build`, which setup.sh runs; a page without its scripts shows the same facts. */
const COMPILED = join(PACKAGE_FOLDER, "dist", "src", "web", "client");
/** Addresses carry the version, so a new one is a new address. */
const CACHED = "public, max-age=3600";

/** @param libraries files of installed packages, by the name under which pages ask for them: `uPlot.min.js`. */
export function assetRoutes(libraries: ReadonlyMap<string, string> = new Map()): Hono {
  const app = new Hono();
  app.get("/style.css", (c) =>
    c.body(STYLE, 200, { "content-type": "text/css; charset=utf-8", "cache-control": CACHED }),
  );
  app.get("/:file{[a-zA-Z0-9][a-zA-Z0-9.-]*\\.(js|css)}", async (c) => {
    const file = c.req.param("file");
    const text = await readFile(libraries.get(file) ?? join(COMPILED, file), "utf8").catch(() => undefined);
    if (text === undefined) return c.notFound();
    const type = file.endsWith(".css") ? "text/css" : "text/javascript";
    return c.body(text, 200, { "content-type": `${type}; charset=utf-8`, "cache-control": CACHED });
  });
  return app;
}
