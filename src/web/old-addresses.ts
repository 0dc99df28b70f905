/**
 * The addresses that a Buildbot of 0.8 had, which stand in wikis and bookmarks: each leads to the nearest page of ours. `/waterfall`
 * is ours too, and takes the old filters. Whatever an address says, it never leads away from this site: what is taken over from it
 * is a name that the configuration has, a number, or stands behind a question mark.
 */
import { type Context, Hono } from "hono";
import { UserError } from "../errors.ts";
import { BuildNumber, type ProjectName } from "../names.ts";
import type { WebDeps } from "./deps.ts";

/** The page where what is said of one address is said now. */
const PLACES: Readonly<Record<string, string>> = {
  "/builders": "/",
  "/one_box_per_builder": "/",
  "/about": "/",
  "/one_line_per_build": "/builds",
  "/buildslaves": "/workers",
  "/buildslaves/*": "/workers",
  "/rss": "/feed.xml",
  "/atom": "/feed.xml",
  "/json": "/api/openapi.json",
  "/json/help": "/api/openapi.json",
  "/json/builders": "/api/projects",
  "/json/builders/*": "/api/projects",
  "/json/project": "/api/projects",
  "/json/slaves": "/api/workers",
  "/json/slaves/*": "/api/workers",
};
/** Pages of time, whose filters go along. */
const OF_TIME = ["/grid", "/tgrid", "/console", "/changes", "/changes/*"];
const FILTERS = ["builder", "project", "branch", "committer"];

export function oldAddressRoutes({ config, builds }: Pick<WebDeps, "config" | "builds">): Hono {
  const app = new Hono();
  for (const [old, place] of Object.entries(PLACES)) {
    for (const path of written(old)) app.get(path, (c) => c.redirect(place, 301));
  }
  for (const path of OF_TIME.flatMap(written)) app.get(path, (c) => c.redirect(`/waterfall${filters(c)}`, 301));

  app.get("/builders/:builder", (c) => c.redirect(projectPage(c.req.param("builder")), 301));
  app.get("/one_line_per_build/:builder", (c) => c.redirect(projectPage(c.req.param("builder")), 301));
  // Buildbot counted for each builder by itself, so only a build of that project is meant. And not for good: the number may yet come.
  const ofBuild = async (c: Context<object, "/:builder/:number">) => {
    const { builder, number } = c.req.param();
    const page = projectPage(builder);
    const log = /\/logs\/[^/]+(?:\/text)?$/.test(c.req.path) ? "/log" : "";
    return c.redirect((await isOf(builder, number)) ? `/builds/${Number(number)}${log}` : page, 302);
  };
  app.get("/builders/:builder/builds/:number", ofBuild);
  app.get("/builders/:builder/builds/:number/*", ofBuild);
  return app;

  /** A builder is a project now, where there is one of that name. */
  function projectPage(builder: string): string {
    const project = named(builder);
    return project === undefined ? "/" : `/projects/${project}`;
  }

  function named(builder: string): ProjectName | undefined {
    return [...config.projects.keys()].find((name) => name === builder);
  }

  async function isOf(builder: string, number: string): Promise<boolean> {
    const parsed = /^[1-9]\d*$/.test(number) ? BuildNumber.safeParse(number) : undefined;
    if (parsed?.success !== true) return false;
    try {
      return (await builds.get(parsed.data)).project === named(builder);
    } catch (error) {
      // There is none of that number.
      if (error instanceof UserError) return false;
      throw error;
    }
  }
}

/** An address with and without a slash at its end. */
function written(path: string): string[] {
  return path.endsWith("*") ? [path] : [path, `${path}/`];
}

function filters(c: Context): string {
  const kept = new URLSearchParams();
  for (const name of FILTERS) {
    const value = c.req.query(name);
    if (value !== undefined) kept.set(name, value);
  }
  return kept.size === 0 ? "" : `?${kept}`;
}
