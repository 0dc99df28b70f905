/** `/schedule`: what docker-ci does by itself, and when next. */
import { Hono } from "hono";
import type { Config } from "../config.ts";
import { nextDue } from "../schedules/due.ts";
import { formatAge } from "../units.ts";
import type { Frame, WebDeps } from "./deps.ts";
import { Page, Time } from "./shell.tsx";

interface Due {
  readonly what: string;
  /** As it is written in the configuration. */
  readonly pattern: string;
  readonly next: Date;
}

export function scheduleRoutes({ config, clock }: WebDeps, frame: Frame): Hono {
  const app = new Hono();
  app.get("/schedule", async (c) => {
    const now = clock.now();
    const due = dueFrom(config, now);
    const [first] = due;
    const title = first === undefined ? "Schedule: nothing" : `Schedule: next in ${formatAge(+first.next - +now)}`;
    return c.html(
      <Page title={title} bar={await frame.bar(c)} area="/schedule">
        <h1>Schedule</h1>
        {first === undefined ? (
          <p>
            Nothing is scheduled. <code>report:</code> in <code>docker-ci.yml</code>, with <code>mail:</code>, mails a
            report every morning.
          </p>
        ) : (
          <Table due={due} timezone={config.timezone} now={now} />
        )}
        <p>
          Nightly builds and backups are not there yet
          {config.backup === undefined && ![...config.projects.values()].some(({ nightly }) => nightly !== undefined)
            ? "."
            : "; what docker-ci.yml says of them is kept for when they are."}
        </p>
      </Page>,
    );
  });
  return app;
}

/** The soonest first. */
function dueFrom({ report, mail, timezone }: Config, now: Date): Due[] {
  if (report === undefined || mail === undefined) return [];
  const recipients = mail.to.length === 1 ? "1 address" : `${mail.to.length} addresses`;
  const next = nextDue(report.at, timezone, now);
  return [{ what: `Report of the day, by mail to ${recipients}`, pattern: report.at, next }];
}

const Table = ({ due, timezone, now }: { due: readonly Due[]; timezone: string; now: Date }) => (
  <div class="scroll">
    <table class="stack">
      <thead>
        <tr>
          <th scope="col">What</th>
          <th scope="col">When ({timezone})</th>
          <th scope="col">Next</th>
          <th scope="col" class="number">
            In
          </th>
        </tr>
      </thead>
      <tbody>
        {due.map(({ what, pattern, next }) => (
          <tr>
            <th scope="row" class="wide">
              {what}
            </th>
            <td>
              <code>{pattern}</code>
            </td>
            <td>
              <Time at={next.toISOString()} />
            </td>
            <td class="number">{formatAge(+next - +now)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);
