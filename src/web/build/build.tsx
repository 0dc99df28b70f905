/** `/builds/:n` and what belongs to it. */
import { setTimeout as sleep } from "node:timers/promises";
import { Hono } from "hono";
import { type Build, isFinished } from "../../builds/build.ts";
import { branchOf } from "../../builds/expected.ts";
import { findRepro } from "../../builds/find-repro.ts";
import { reproText } from "../../builds/repro.ts";
import { placePhrase } from "../../builds/waiting.ts";
import { UserError } from "../../errors.ts";
import type { Incident } from "../../incidents/incident.ts";
import { type ComparedTests, compareTests } from "../../results/compare-tests.ts";
import type { Explanation, TestSummary } from "../../results/summary.ts";
import type { FailingTest } from "../../results/test-case.ts";
import { explain } from "../../why/explain.ts";
import type { Frame, WebDeps } from "../deps.ts";
import { visitorOf } from "../login/visitor.ts";
import { BuildButtons } from "./buttons.tsx";
import { findBuild, NO_BUILD } from "./find-build.ts";
import { logRoutes } from "./log.tsx";
import { BuildPage, ChangesPage } from "./page.tsx";
import { summaryOf, TestsPage } from "./tests.tsx";

const TAIL_LINES = 60;
/** A page does not wait longer for git; the next one has the answer. */
const CHANGES_MS = 250;
/** Among so many builds of the project the same failure is looked for. */
const HISTORY = 100;
const FAILING_MAX = 1_000;

export function buildRoutes(deps: WebDeps, frame: Frame): Hono {
  const { builds, clock, config, incidents, log, logLines, openLog, results, workers } = deps;
  const app = new Hono();
  app.route("/", logRoutes(deps, frame));

  app.get("/builds/:number", async (c) => {
    const build = await findBuild(builds, c.req.param("number"));
    if (build === undefined) return frame.missing(c, NO_BUILD);
    const isBad = build.state.kind === "failed" || build.state.kind === "errored";
    const [tail, plan, expected, waits, changes, explanation, history, incident, bar] = await Promise.all([
      logLines(build.number, TAIL_LINES),
      builds.plan(build.number),
      builds.expected(build),
      build.state.kind === "queued" ? waitsOf(build) : undefined,
      Promise.race([deps.changes(build), sleep(CHANGES_MS, "asking" as const)]),
      isBad ? explanationOf(build) : undefined,
      isBad ? builds.latest(HISTORY, build.project) : [],
      isBad ? incidentOf(build) : undefined,
      frame.bar(c),
    ]);
    const { retention } = config;
    const said = { expected, waits, changes, explanation, history, incident };
    const shown = { build, tail, plan, ...said, retention, bar, now: clock.now() };
    return c.html(<BuildPage {...shown} actions={<BuildButtons build={build} visitor={visitorOf(c)} />} />);
  });

  app.get("/builds/:number/changes", async (c) => {
    const build = await findBuild(builds, c.req.param("number"));
    if (build === undefined) return frame.missing(c, NO_BUILD);
    return c.html(<ChangesPage build={build} changes={await deps.changes(build)} bar={await frame.bar(c)} />);
  });

  app.get("/builds/:number/tests", async (c) => {
    const build = await findBuild(builds, c.req.param("number"));
    if (build === undefined) return frame.missing(c, NO_BUILD);
    const summary = summaryOf(build);
    if (summary === undefined) return frame.missing(c, `#${build.number} has no test report.`);
    const compared = await compare(build);
    const failing = compared === undefined ? await failingOf(build, summary) : [];
    const bar = await frame.bar(c);
    return c.html(<TestsPage build={build} summary={summary} compared={compared} failing={failing} bar={bar} />);
  });

  app.get("/builds/:number/repro", async (c) => {
    const build = await findBuild(builds, c.req.param("number"));
    if (build === undefined) return frame.missing(c, NO_BUILD);
    try {
      const found = await findRepro({ builds, config }, build.number, c.req.query("step"));
      return c.text(reproText(found.build, found.plan, found.step, found.scene));
    } catch (error) {
      if (error instanceof UserError) return c.text(`${error.message}\n`, 404);
      throw error;
    }
  });

  return app;

  async function waitsOf(build: Build): Promise<string> {
    const { forecast } = await builds.outlook(await workers());
    return placePhrase(forecast(build), { now: clock.now(), timezone: config.timezone });
  }

  /** Records from before explanations were kept have only their log. */
  async function explanationOf(build: Build): Promise<Explanation | undefined> {
    if (build.results?.explanation !== undefined || !isFinished(build)) return build.results?.explanation;
    try {
      return await explain(build, await openLog(build.number));
    } catch (error) {
      log.warn({ err: error, build: build.number }, "a log could not be explained");
      return undefined;
    }
  }

  /** What is broken on its branch since it, or since before it. */
  async function incidentOf(build: Build): Promise<Incident | undefined> {
    const open = await incidents();
    return open.find(
      ({ project, branch, firstBad }) =>
        project === build.project && branch === branchOf(build) && build.number >= firstBad.number,
    );
  }

  /** Undefined where the tests of one of the two are not kept here any more. */
  async function compare(build: Build): Promise<ComparedTests | undefined> {
    const against = build.results?.comparison?.against;
    if (against === undefined) return undefined;
    for (const number of [against, build.number]) {
      if (!(await hasTests(number))) return undefined;
    }
    return compareTests(results.tests(against), results.tests(build.number));
  }

  async function hasTests(number: number): Promise<boolean> {
    for await (const batch of results.tests(number)) if (batch.length > 0) return true;
    return false;
  }

  /** More than the record names, where they are kept. */
  async function failingOf(build: Build, summary: TestSummary): Promise<readonly FailingTest[]> {
    if (summary.failed <= summary.failing.length) return summary.failing;
    const failing: FailingTest[] = [];
    for await (const batch of results.tests(build.number)) {
      failing.push(...batch.filter(({ state }) => state === "failed"));
      if (failing.length >= FAILING_MAX) break;
    }
    return failing.length > summary.failing.length ? failing.slice(0, FAILING_MAX) : summary.failing;
  }
}
