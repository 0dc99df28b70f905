/** The API's addresses that only tell. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import { stream } from "hono/streaming";
import type { Build } from "../../builds/build.ts";
import { shownRepository } from "../../config.ts";
import { slotsOf } from "../../queue/worker-status.ts";
import type { StepTest } from "../../results/kept-tests.ts";
import type { WebDeps } from "../deps.ts";
import { briefJson, buildJson, waitsForJson } from "./build-json.ts";
import { findBuild, found } from "./find-build.ts";
import { listBuilds } from "./list-builds.ts";
import { misfit, Problem } from "./problem.ts";
import { releaseJson } from "./release-json.ts";
import * as routes from "./routes.ts";

export function addReading(app: OpenAPIHono, deps: WebDeps): void {
  const { config, builds, log, results } = deps;
  const { url } = config;

  app.openapi(routes.listProjects, async (c) => {
    const projects = [...config.projects.values()].map(async ({ name, repo, branch }) => {
      const [latest] = await builds.latest(1, name);
      return {
        name,
        repository: shownRepository(repo),
        branch,
        url: `${url}/projects/${name}`,
        latest: latest === undefined ? null : briefJson(latest, url),
      };
    });
    return c.json({ projects: await Promise.all(projects) }, 200);
  });

  app.openapi(routes.listBuilds, async (c) => {
    const query = c.req.valid("query");
    const page = await listBuilds(builds, query);
    if (page.next !== null) {
      const next = new URL(c.req.url).searchParams;
      next.set("before", String(page.next));
      c.header("link", `<${url}/api/builds?${next}>; rel="next"`);
    }
    return c.json({ builds: page.builds.map((build) => briefJson(build, url)), next: page.next }, 200);
  });

  app.openapi(routes.readBuild, async (c) =>
    c.json(buildJson(await findBuild(builds, c.req.valid("param").number), url), 200),
  );

  // A stream is no answer that the library knows the type of, so this one is only described by its route.
  app.openAPIRegistry.registerPath(routes.readLog);
  app.get(routes.readLog.getRoutingPath(), async (c) => {
    const params = routes.readLog.request.params.safeParse(c.req.param());
    const query = routes.readLog.request.query.safeParse(c.req.query());
    if (!params.success) throw new Problem(400, misfit(params.error));
    if (!query.success) throw new Problem(400, misfit(query.error));
    const { number } = await findBuild(builds, params.data.number);
    c.header("content-type", "text/plain; charset=utf-8");
    if (query.data.tail !== undefined) {
      const lines = await deps.logLines(number, query.data.tail);
      if (lines === undefined) throw noLog(number);
      return c.body(lines.map(({ text }) => `${text}\n`).join(""));
    }
    const whole = await deps.openLog(number);
    if (whole === undefined) throw noLog(number);
    return stream(
      c,
      async (body) => {
        body.onAbort(() => void whole.destroy());
        for await (const chunk of whole) await body.write(chunk);
      },
      async (error) => log.error({ err: error, build: number }, "a log could not be read to its end"),
    );
  });

  app.openapi(routes.readTests, async (c) => {
    const { number } = await findBuild(builds, c.req.valid("param").number);
    const { state, after, limit } = c.req.valid("query");
    let seen = 0;
    const tests: StepTest[] = [];
    for await (const batch of results.tests(number)) {
      for (const test of batch) {
        if (state !== undefined && test.state !== state) continue;
        seen += 1;
        if (seen <= after) continue;
        if (tests.length === limit) return c.json({ tests, next: after + limit }, 200);
        tests.push(test);
      }
    }
    return c.json({ tests, next: null }, 200);
  });

  app.openapi(routes.readQueue, async (c) => {
    const workers = await deps.workers();
    const slots = slotsOf(workers);
    const { running, queued, forecast } = await builds.outlook(workers);
    const endsIn = (build: Build) => {
      const endsInMs = forecast(build)?.endsInMs;
      return { ...briefJson(build, url), ...(endsInMs === undefined ? {} : { endsInMs }) };
    };
    const waits = (build: Build, place: number) => {
      const { before = place, beginsInMs, waitsFor } = forecast(build) ?? {};
      return {
        ...endsIn(build),
        before,
        ...(beginsInMs === undefined ? {} : { beginsInMs }),
        ...(waitsFor === undefined ? {} : { waitsFor: waitsForJson(waitsFor) }),
      };
    };
    return c.json({ slots, running: running.map(endsIn), queued: queued.map(waits) }, 200);
  });

  app.openapi(routes.listWorkers, async (c) =>
    c.json(
      {
        workers: (await deps.workers()).map((worker) => ({
          ...worker,
          active: [...worker.active],
          labels: [...worker.labels],
        })),
      },
      200,
    ),
  );
  app.openapi(routes.readOutbox, async (c) => {
    const { rooms, dropped } = await deps.outbox();
    return c.json({ rooms: [...rooms], dropped: [...dropped] }, 200);
  });
  app.openapi(routes.listReleases, async (c) => {
    const { project, before, limit } = c.req.valid("query");
    const filter = { ...(project === undefined ? {} : { project }), ...(before === undefined ? {} : { before }) };
    const page = await deps.releases.latest(limit + 1, filter);
    const shown = page.slice(0, limit);
    const next = page.length > limit ? (shown.at(-1)?.number ?? null) : null;
    return c.json({ releases: shown.map((release) => releaseJson(release, deps.config)), next }, 200);
  });
  app.openapi(routes.readRelease, async (c) => {
    const release = await found(() => deps.releases.get(c.req.valid("param").number));
    return c.json(releaseJson(release, deps.config), 200);
  });
}

function noLog(number: number): Problem {
  return new Problem(404, `There is no log of #${number} on this machine, or none yet.`);
}
