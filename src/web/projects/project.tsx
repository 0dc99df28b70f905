/** `/projects/:project`: its builds. */
import { Hono } from "hono";
import { isFinished } from "../../builds/build.ts";
import { shownRepository } from "../../config.ts";
import { ProjectName } from "../../names.ts";
import { BuildTable } from "../build-table.tsx";
import type { Frame, WebDeps } from "../deps.ts";
import { Page } from "../shell.tsx";

const PROJECT_BUILDS = 50;

export function projectRoutes({ config, builds }: WebDeps, frame: Frame): Hono {
  const app = new Hono();
  app.get("/projects/:project", async (c) => {
    const name = ProjectName.safeParse(c.req.param("project"));
    const project = name.success ? config.projects.get(name.data) : undefined;
    if (project === undefined) return frame.missing(c, "There is no project of that name.");
    const latest = await builds.latest(PROJECT_BUILDS, project.name);
    const live = latest.some((build) => !isFinished(build));
    return c.html(
      <Page title={project.name} bar={await frame.bar(c)} area="/" live={live}>
        <h1>{project.name}</h1>
        <p>
          <code>{shownRepository(project.repo)}</code>, branch <code>{project.branch}</code>
        </p>
        <BuildTable builds={latest} />
      </Page>,
    );
  });
  return app;
}
