/** `/projects/:project`, one project in whole, and `/builds`, the builds of all of them. */
import { Hono } from "hono";
import { type Build, isFinished } from "../../builds/build.ts";
import { SIGNS } from "../../chat/reply.ts";
import { shownRepository } from "../../config.ts";
import { ProjectName } from "../../names.ts";
import { BuildTable } from "../build-table.tsx";
import type { Frame, WebDeps } from "../deps.ts";
import { ForceForm } from "../forms/force-form.tsx";
import { Broken } from "../incident.tsx";
import { visitorOf } from "../login/visitor.ts";
import { Pager, placeOf } from "../pager.tsx";
import { Pictures } from "../pictures.tsx";
import { Page, State } from "../shell.tsx";
import { Trends } from "../trends/trends.tsx";
import { Badges } from "./badges.tsx";
import { Branches } from "./branches.tsx";
import { FlakyTests } from "./flaky-tests.tsx";
import { NextBuilds } from "./next-builds.tsx";
import { NotBuilt } from "./not-built.tsx";
import { readPage, readProject } from "./read.ts";
import { WaitingPullRequests } from "./waiting-pull-requests.tsx";

export function projectRoutes(deps: WebDeps, frame: Frame): Hono {
  const { config, clock } = deps;
  const app = new Hono();

  const comingOf = async (name: string) =>
    (await deps.schedules.coming(clock.now())).filter(({ project }) => project === name);

  app.get("/projects", (c) => c.redirect("/"));

  app.get("/projects/:project", async (c) => {
    const name = ProjectName.safeParse(c.req.param("project"));
    const project = name.success ? config.projects.get(name.data) : undefined;
    if (project === undefined) return frame.missing(c, "There is no project of that name.");
    const place = placeOf(c.req.query());
    const isFirst = place.before === undefined && place.after === undefined;
    const { standing, history, branches, trend, pictured, unsteady, incidents, skipped, waiting } = await readProject(
      deps,
      project,
      place,
    );
    const path = `/projects/${project.name}`;
    const live = isFirst && history.builds.some((build) => !isFinished(build));
    const sign = standing === undefined ? "" : `${SIGNS[standing.state.kind]} `;
    return c.html(
      <Page
        title={`${sign}${project.name}`}
        bar={await frame.bar(c)}
        area="/"
        tone={standing?.state.kind ?? "info"}
        live={live}
        scripts={isFirst ? ["refresh", "trends"] : []}
      >
        <div id="standing" data-live>
          <h1>
            {project.name} {standing === undefined ? null : <State build={standing} />}
          </h1>
          <p>
            <code>{shownRepository(project.repo)}</code>, branch <code>{project.branch}</code>
          </p>
          {incidents.map((incident) => (
            <Broken incident={incident} branch={project.branch} prefix={config.prefix} now={clock.now()} />
          ))}
        </div>
        {isFirst ? <ForceForm visitor={visitorOf(c)} projects={[project]} /> : null}
        {isFirst ? (
          <WaitingPullRequests
            waiting={waiting}
            project={project}
            visitor={visitorOf(c)}
            config={config}
            now={clock.now()}
          />
        ) : null}
        {isFirst && pictured !== undefined ? (
          <section aria-labelledby="picture" id="seen" data-live>
            <h2 id="picture">Last picture</h2>
            <p>
              Left by <a href={`/builds/${pictured.number}`}>#{pictured.number}</a> <State build={pictured} />
            </p>
            <Pictures build={pictured} retention={config.retention} now={clock.now()} max={1} />
          </section>
        ) : null}
        {isFirst ? <Trends points={trend} /> : null}
        <section aria-labelledby="builds" id="history" data-live={isFirst ? true : undefined}>
          <h2 id="builds">{isFirst ? "Builds" : "Earlier builds"}</h2>
          <BuildTable builds={history.builds} />
          <Pager path={path} newer={history.newer} older={history.older} />
        </section>
        {isFirst ? (
          <>
            <Branches branches={branches} now={clock.now()} />
            <FlakyTests unsteady={unsteady} />
            <NextBuilds
              project={project}
              prefix={config.prefix}
              coming={await comingOf(project.name)}
              now={clock.now()}
            />
            <NotBuilt skipped={skipped} now={clock.now()} />
            <Badges project={project.name} url={config.url} />
          </>
        ) : null}
      </Page>,
    );
  });

  app.get("/builds", async (c) => {
    const page = await readPage(deps, placeOf(c.req.query()));
    const live = page.newer === undefined && page.builds.some((build) => !isFinished(build));
    return c.html(
      <Page title={titleOf(page.builds)} bar={await frame.bar(c)} area="/builds" live={live} scripts={["refresh"]}>
        <h1>Builds</h1>
        <div id="history" data-live>
          <BuildTable builds={page.builds} named />
          <Pager path="/builds" newer={page.newer} older={page.older} />
        </div>
      </Page>,
    );
  });

  return app;
}

/** `Builds #586 to #613`; several of them may stand in a row of tabs. */
function titleOf(builds: readonly Build[]): string {
  const [newest] = builds;
  const oldest = builds.at(-1);
  if (newest === undefined || oldest === undefined) return "Builds: none";
  return newest === oldest ? `Builds: #${newest.number}` : `Builds: #${oldest.number} to #${newest.number}`;
}
