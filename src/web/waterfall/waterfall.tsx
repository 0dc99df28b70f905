/** `/waterfall`: what was built when, side by side (O-80). */
import { Hono } from "hono";
import { type Build, isFinished } from "../../builds/build.ts";
import { SIGNS, type Tone } from "../../chat/reply.ts";
import { UserError } from "../../errors.ts";
import { formatCount } from "../../units.ts";
import type { Frame, WebDeps } from "../deps.ts";
import { type Bar, Page } from "../shell.tsx";
import type { UnderWay } from "./block.tsx";
import { columnsOf } from "./columns.ts";
import { addressOf, type Chosen, FilterForm, isFiltered, Paging, projectName, readChosen } from "./filters.tsx";
import { layOut } from "./layout.ts";
import { WaterfallTable, wallClockOf } from "./table.tsx";

const PAGE_BUILDS = 50;
const NAMES_OFFERED = 50;

export function waterfallRoutes({ config, builds, clock, workers }: WebDeps, frame: Frame): Hono {
  const app = new Hono();
  const { timezone, projects } = config;
  const wallClock = wallClockOf(timezone);
  const { history } = builds;

  app.get("/waterfall", async (c) => {
    const chosen = readChosen(c.req.query());
    // A form sends what was left empty too, and an old link has other words for it.
    const address = addressOf(chosen);
    if (new URL(address, c.req.url).search !== new URL(c.req.url).search) return c.redirect(address);
    const project = projectName(chosen.project);
    const [bar, page, branches, people] = await Promise.all([
      frame.bar(c),
      chosen.project === undefined || project !== undefined
        ? history.page({ ...chosen, project, limit: PAGE_BUILDS })
        : { builds: [], older: undefined, newer: undefined },
      project === undefined ? [] : history.branches(project, NAMES_OFFERED),
      history.people(NAMES_OFFERED),
    ]);
    const shown = page.builds;
    const isNewest = page.newer === undefined;
    const { title, tone } = answerOf(shown, bar, isNewest && !isFiltered(chosen));
    const problem = problemOf(chosen);
    const names = project === undefined ? shown.flatMap(({ revision }) => revision?.ref ?? []) : branches.map(nameOf);
    return c.html(
      <Page
        title={problem ?? title}
        bar={bar}
        area="/waterfall"
        tone={tone}
        live={isNewest && bar.running + bar.queued > 0}
        scripts={isNewest ? ["refresh"] : []}
      >
        <h1>Waterfall</h1>
        <FilterForm chosen={chosen} projects={[...projects.keys()]} branches={[...new Set(names)]} people={people} />
        {problem === undefined ? null : <p>{problem}</p>}
        <div id="waterfall" data-live>
          <Paging chosen={chosen} newer={page.newer} older={page.older} label="Pages" />
          {shown.length === 0 ? (
            <p>{isFiltered(chosen) ? "No build is like that." : "There are no builds yet."}</p>
          ) : (
            <>
              <WaterfallTable
                layout={layOut(columnsOf(shown, projects), clock.now())}
                timezone={timezone}
                underWay={await underWayOf(shown)}
                wallClock={wallClock}
                isFiltered={isFiltered(chosen)}
              />
              <Paging chosen={chosen} newer={page.newer} older={page.older} label="Pages, below" />
            </>
          )}
        </div>
      </Page>,
      problem === undefined || shown.length > 0 ? 200 : 404,
    );
  });

  return app;

  /** A project that was taken out of the configuration keeps its builds. */
  function problemOf({ project }: Chosen): string | undefined {
    if (project === undefined) return undefined;
    try {
      builds.project(project);
      return undefined;
    } catch (error) {
      if (error instanceof UserError) return error.message;
      throw error;
    }
  }

  async function underWayOf(shown: readonly Build[]): Promise<UnderWay> {
    const now = clock.now();
    if (shown.every(isFinished)) return { now, expected: () => undefined, forecast: () => undefined };
    const { expected, forecast } = await builds.outlook(await workers());
    return { now, expected, forecast };
  }
}

const nameOf = ({ name }: { readonly name: string }): string => name;

/** What a row of browser tabs shows: `● waterfall: 1 running`, `✘ waterfall: docker is broken`. */
function answerOf(
  shown: readonly Build[],
  bar: Bar,
  isWhole: boolean,
): { readonly title: string; readonly tone: Tone } {
  if (!isWhole) {
    const [newest, oldest] = [shown.at(0)?.number, shown.at(-1)?.number];
    const range = newest === undefined ? "nothing" : `#${oldest} to #${newest}`;
    return { title: `waterfall: ${range}`, tone: "info" };
  }
  const newest = new Map<string, Build>();
  for (const build of shown) {
    const isVerdict = isFinished(build) && build.state.kind !== "cancelled";
    if (isVerdict && !newest.has(build.project)) newest.set(build.project, build);
  }
  const bad = [...newest.values()].filter(({ state }) => state.kind !== "passed");
  const running = bar.running > 0 ? `, ${formatCount(bar.running)} running` : "";
  const tone: Tone = bar.running > 0 ? "running" : bad.length > 0 ? "failed" : newest.size > 0 ? "passed" : "info";
  const said =
    bad.length === 0
      ? newest.size > 0
        ? "all passed"
        : "no builds"
      : bad.length === 1
        ? `${bad[0]?.project} did not pass`
        : `${bad.length} of ${newest.size} did not pass`;
  return { title: `${SIGNS[tone]} waterfall: ${said}${running}`.trim(), tone };
}
