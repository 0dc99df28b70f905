/** `/`: what is going on, and the projects. */
import { Hono } from "hono";
import { isFinished } from "../../builds/build.ts";
import { BuildTable } from "../build-table.tsx";
import type { Frame, WebDeps } from "../deps.ts";
import { Page } from "../shell.tsx";

const HOME_BUILDS = 20;

export function homeRoutes({ config, builds }: WebDeps, frame: Frame): Hono {
  const app = new Hono();
  app.get("/", async (c) => {
    const latest = await builds.latest(HOME_BUILDS);
    const live = latest.some((build) => !isFinished(build));
    return c.html(
      <Page title="docker-ci" bar={await frame.bar(c)} area="/" live={live}>
        <h1>Builds</h1>
        <BuildTable builds={latest} />
        <h2>Projects</h2>
        <ul>
          {[...config.projects.values()].map(({ name }) => (
            <li>
              <a href={`/projects/${name}`}>{name}</a>
            </li>
          ))}
        </ul>
      </Page>,
    );
  });
  return app;
}
