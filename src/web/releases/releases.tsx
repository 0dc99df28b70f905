/** `/releases`: what waits for approvals and what was published; `/releases/R7`: one of them, to decide by. */
import { Hono } from "hono";
import { openLog } from "../../builds/log-files.ts";
import { SIGNS } from "../../chat/reply.ts";
import { UserError } from "../../errors.ts";
import { filesOf } from "../../releases/plan.ts";
import { smokeLogs } from "../../releases/publish/smoke-logs.ts";
import { ReleaseNumber } from "../../releases/release.ts";
import { releaseTitle, releaseTone, stateWord } from "../../releases/words.ts";
import type { Frame, WebDeps } from "../deps.ts";
import { mayDo, visitorOf } from "../login/visitor.ts";
import { sendLog } from "../sent-log.ts";
import { Page } from "../shell.tsx";
import { NoReleases, ReleaseTable } from "./list.tsx";
import { ReleasePage } from "./page.tsx";
import { RequestForm } from "./request-form.tsx";

const PAGE = 50;

export function releaseRoutes({ config, builds, releases, clock, log }: WebDeps, frame: Frame): Hono {
  const app = new Hono();

  app.get("/releases", async (c) => {
    const asked = c.req.query("before")?.replace(/^R/i, "");
    const before = ReleaseNumber.safeParse(asked);
    const found = await releases.latest(PAGE + 1, before.success ? { before: before.data } : {});
    const shown = found.slice(0, PAGE);
    const open = shown.find(({ state }) => state.kind === "waiting" || state.kind === "publishing");
    const waiting = shown.filter(({ state }) => state.kind === "waiting").length;
    const [newest] = shown;
    const title =
      waiting > 1
        ? `${waiting} wait for approval`
        : open !== undefined
          ? `${releaseTitle(open)} ${stateWord(open)}`
          : newest === undefined
            ? "none"
            : `${releaseTitle(newest)} ${stateWord(newest)}`;
    return c.html(
      <Page
        title={`Releases: ${title}`}
        bar={await frame.bar(c)}
        area="/releases"
        tone={newest === undefined ? "info" : releaseTone(open ?? newest)}
        live={open !== undefined}
        scripts={["refresh"]}
      >
        <h1>Releases</h1>
        <div id="releases" data-live>
          {shown.length === 0 ? (
            <NoReleases config={config} />
          ) : (
            <ReleaseTable releases={shown} config={config} now={clock.now()} />
          )}
        </div>
        {found.length > PAGE ? (
          <nav class="pager" aria-label="Pages">
            <a href={`/releases?before=R${shown.at(-1)?.number}`} rel="next">
              ▼ older
            </a>
          </nav>
        ) : null}
        {config.releases.size > 0 && mayDo(visitorOf(c)) ? (
          <section aria-labelledby="ask">
            <h2 id="ask">Ask for a release</h2>
            <RequestForm visitor={visitorOf(c)} config={config} />
          </section>
        ) : null}
      </Page>,
    );
  });

  app.get("/releases/:name{[Rr]?[1-9][0-9]*}/log", async (c) => {
    const number = ReleaseNumber.safeParse(c.req.param("name").replace(/^R/i, ""));
    const opened = number.success ? await openLog(smokeLogs(config), number.data) : undefined;
    if (opened === undefined) return frame.missing(c, "There is no log of a smoke test of that release.");
    c.header("content-type", "text/plain; charset=utf-8");
    c.header("cache-control", "no-store");
    return sendLog(c, opened, (error) =>
      log.error({ err: error, release: number.data }, "a log could not be read to its end"),
    );
  });

  app.get("/releases/:name{[Rr]?[1-9][0-9]*}", async (c) => {
    const number = ReleaseNumber.safeParse(c.req.param("name").replace(/^R/i, ""));
    if (!number.success) return frame.missing(c, "There is no release of that number.");
    try {
      const release = await releases.get(number.data);
      const { state, plan } = release;
      const built = "build" in state ? state.build : undefined;
      const build = built ?? plan.build?.number;
      const settings = config.releases.get(plan.project);
      const record = build === undefined ? undefined : await builds.get(build).catch(absent);
      const isOpen = state.kind === "waiting" || state.kind === "publishing";
      return c.html(
        <Page
          title={`${SIGNS[releaseTone(release)]} ${releaseTitle(release)}`}
          bar={await frame.bar(c)}
          area="/releases"
          tone={releaseTone(release)}
          live={isOpen}
          scripts={["refresh"]}
        >
          <ReleasePage
            release={release}
            build={build}
            files={record === undefined || settings === undefined ? [] : filesOf(record, settings)}
            isExact={built !== undefined}
            config={config}
            visitor={visitorOf(c)}
            now={clock.now()}
          />
        </Page>,
      );
    } catch (error) {
      if (error instanceof UserError)
        return frame.missing(c, `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}`);
      throw error;
    }
  });
  return app;
}

/** A build that is no longer kept has no files to show. */
function absent(error: unknown): undefined {
  if (!(error instanceof UserError)) throw error;
}
