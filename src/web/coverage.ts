/**
 * `/coverage/<project>/<n>/`: the pages of a build's coverage, the project's own or ours. To be mounted before the site's own headers,
 * which would let scripts run (O-65).
 */
import { join } from "node:path";
import { Hono } from "hono";
import type { Builds } from "../builds/builds.ts";
import { ProjectName } from "../names.ts";
import { namedCoverage } from "../results/coverage-names.ts";
import type { Frame } from "./deps.ts";
import { serveInert } from "./inert-files.ts";

/** How far back the newest coverage of a project is looked for. */
const LOOKED_AT = 100;
const NOTHING = "There is no coverage of that build; it is kept for a while only.";

/** @param folder `data/docker-ci/coverage`, with a folder for each project and in it one for each build. */
export function coverageRoutes(
  folder: string,
  builds: Pick<Builds, "latest">,
  { missing }: Pick<Frame, "missing">,
): Hono {
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
    const { project, build } = c.req.param();
    if (!ProjectName.safeParse(project).success) return missing(c, NOTHING);
    const path = new URL(c.req.url).pathname.split("/").slice(4).join("/");
    if (/^[1-9]\d*$/.test(build)) {
      const page = path === "" || path.endsWith("/") ? `${path}index.html` : path;
      return (await serveInert(join(folder, project, build), page, c.req.header("range"))) ?? missing(c, NOTHING);
    }
    const number = await namedCoverage(folder, project, build);
    return number === undefined ? missing(c, NOTHING) : c.redirect(`/coverage/${project}/${number}/${path}`);
  });

  return app;
}
