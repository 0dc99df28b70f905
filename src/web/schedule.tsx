/** `/schedule`: what docker-ci does by itself, when next, and what is held. */
import { Hono } from "hono";
import { pausedFacts } from "../builds/waiting.ts";
import { type Coming, lastPhrase } from "../schedules/schedules.ts";
import { formatAge } from "../units.ts";
import type { Frame, WebDeps } from "./deps.ts";
import { Page, Time } from "./shell.tsx";

export function scheduleRoutes({ builds, config, clock, schedules }: WebDeps, frame: Frame): Hono {
  const app = new Hono();
  app.get("/schedule", async (c) => {
    const now = clock.now();
    const [coming, pauses] = await Promise.all([schedules.coming(now), builds.pauses.all()]);
    const held = pausedFacts(pauses, { now, timezone: config.timezone });
    const [first] = coming;
    const title = first === undefined ? "Schedule: nothing" : `Schedule: next in ${formatAge(+first.next - +now)}`;
    return c.html(
      <Page title={title} bar={await frame.bar(c)} area="/schedule">
        <h1>Schedule</h1>
        {held.length === 0 ? null : <p>Held: {held.join(" · ")}. What is due meanwhile waits in the line.</p>}
        {first === undefined ? (
          <p>
            Nothing is scheduled. <code>nightly: true</code> under a project in <code>docker-ci.yml</code> builds it
            every night; <code>schedules:</code> builds what and when you like; <code>report:</code>, with{" "}
            <code>mail:</code>, mails a report every morning.
          </p>
        ) : (
          <Table coming={coming} now={now} />
        )}
        <p>
          <a href="/backups">Backups</a>{" "}
          {config.backup === undefined ? (
            <>
              are made when somebody says <code>{config.prefix}backup</code>; <code>backup:</code> in{" "}
              <code>docker-ci.yml</code> makes one every day.
            </>
          ) : (
            "that were made, and when each was proven to restore."
          )}
        </p>
      </Page>,
    );
  });
  return app;
}

const Table = ({ coming, now }: { coming: readonly Coming[]; now: Date }) => (
  <div class="scroll">
    <table class="stack">
      <thead>
        <tr>
          <th scope="col">What</th>
          <th scope="col">When</th>
          <th scope="col">Next</th>
          <th scope="col" class="number">
            In
          </th>
          <th scope="col">Last</th>
        </tr>
      </thead>
      <tbody>
        {coming.map(({ what, project, at, timezone, next, last }) => (
          <tr>
            <th scope="row" class="lead">
              {project === undefined ? what : <a href={`/projects/${project}`}>{what}</a>}
            </th>
            <td>
              <code>{at}</code> {timezone}
            </td>
            <td>
              <Time at={next.toISOString()} />
            </td>
            <td class="number">{formatAge(+next - +now)}</td>
            <td class="quiet">
              {last?.build === undefined ? (
                project !== undefined && "not yet"
              ) : (
                <a href={`/builds/${last.build}`}>{lastPhrase(last)}</a>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);
