/**
 * `/coverage/<project>/<n>/`: the pages of a build's coverage, the project's own or ours. They are foreign, so they are served
 * without any rights: no script runs, and nothing of this site can be reached from them. To be mounted before the site's own headers.
 */
import { constants, type Stats } from "node:fs";
import { type FileHandle, open, readFile, realpath } from "node:fs/promises";
import { extname, join } from "node:path";
import { type Context, Hono } from "hono";
import { stream } from "hono/streaming";
import type { Builds } from "../builds/builds.ts";
import { BuildNumber, ProjectName } from "../names.ts";
import { markerProject } from "../results/coverage-markers.ts";

export interface CoverageRoutesDeps {
  /** `data/docker-ci/coverage` */
  readonly folder: string;
  readonly builds: Pick<Builds, "latest">;
  /** A page for an address where there is nothing, with status 404. */
  missing(c: Context, what: string): Promise<Response> | Response;
}

/** O-65: an origin of its own that may do nothing but be looked at. */
export const INERT_HEADERS = {
  "content-security-policy":
    "sandbox allow-top-navigation-by-user-activation; default-src 'none'; style-src 'unsafe-inline' 'self'; img-src 'self' data:; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
} as const;

/** What is shown; everything else, scripts among it, is text. */
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".htm": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".png": "image/png",
  ".gif": "image/gif",
  ".jpg": "image/jpeg",
  ".ico": "image/x-icon",
  ".svg": "image/svg+xml",
  ".woff": "font/woff",
  ".woff2": "font/woff2",
};
/** How far back the newest coverage of a project is looked for. */
const LOOKED_AT = 100;
const NOTHING = "There is no coverage of that build.";

/** The file in a project's coverage folder that says which build's report a name of the original's scripts stands for. */
export function nameFile(folder: string, project: string, name: string): string {
  return join(folder, project, `${name}.build`);
}

export function coverageRoutes({ folder, builds, missing }: CoverageRoutesDeps): Hono {
  const app = new Hono();

  app.get("/coverage/:project", (c) => c.redirect(`/coverage/${encodeURIComponent(c.req.param("project"))}/`));

  app.get("/coverage/:project/", async (c) => {
    const project = ProjectName.safeParse(c.req.param("project"));
    const latest = project.success ? await builds.latest(LOOKED_AT, project.data) : [];
    const newest = latest.find(({ results }) => results?.coverage !== undefined);
    if (newest === undefined) return missing(c, "There is no coverage of that project.");
    return c.redirect(`/coverage/${newest.project}/${newest.number}/`);
  });

  app.get("/coverage/:project/:build", (c) => c.redirect(`${new URL(c.req.url).pathname}/`));

  app.get("/coverage/:project/:build/*", async (c) => {
    const parts = partsOf(c.req.url);
    const [project = "", build = "", ...rest] = parts ?? [];
    if (parts === undefined || !ProjectName.safeParse(project).success) return missing(c, NOTHING);
    if (!/^[1-9]\d*$/.test(build)) {
      const number = await numberOf(folder, project, build);
      const page = rest.map(encodeURIComponent).join("/");
      return number === undefined ? missing(c, NOTHING) : c.redirect(`/coverage/${project}/${number}/${page}`);
    }
    const wanted = rest.at(-1) === "" ? [...rest.slice(0, -1), "index.html"] : rest;
    const file = await openInside(join(folder, project, build), wanted);
    if (file === undefined) return missing(c, NOTHING);
    const headers = {
      ...INERT_HEADERS,
      "content-type": TYPES[extname(wanted.at(-1) ?? "").toLowerCase()] ?? "text/plain; charset=utf-8",
      "content-length": String(file.stats.size),
    };
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
    return stream(c, async (body) => {
      const source = file.handle.createReadStream({ end: Math.max(0, file.stats.size - 1) });
      body.onAbort(() => void source.destroy());
      for await (const chunk of source) await body.write(chunk);
    });
  });

  return app;
}

/** What stands behind `/coverage/`, decoded once; undefined for an address that is none of ours. */
function partsOf(url: string): string[] | undefined {
  try {
    return new URL(url).pathname.split("/").slice(2).map(decodeURIComponent);
  } catch {
    // URIError: `%` without two digits behind it.
    return undefined;
  }
}

/** O-62: `docker-registry-20140301120000`, of the project that its name begins with. */
async function numberOf(folder: string, project: string, name: string): Promise<number | undefined> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(name) || markerProject(name) === undefined) return undefined;
  const text = await readFile(nameFile(folder, project, name), "utf8").catch(() => "" /* no such name */);
  return BuildNumber.safeParse(text.trim()).data;
}

/** A plain file inside of a folder; what climbs out, or is reached over a link, is not there. */
async function openInside(
  folder: string,
  parts: readonly string[],
): Promise<{ handle: FileHandle; stats: Stats } | undefined> {
  if (parts.some((part) => part === "" || part === "." || part === ".." || /[/\\\0]/.test(part))) return undefined;
  let handle: FileHandle | undefined;
  try {
    const inside = await realpath(folder);
    const path = join(inside, ...parts);
    if ((await realpath(path)) !== path) return undefined;
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = await handle.stat();
    if (stats.isFile()) return { handle, stats };
    await handle.close();
    return undefined;
  } catch {
    // There is none, or not for us; and nobody is told which.
    await handle?.close().catch(() => undefined);
    return undefined;
  }
}
