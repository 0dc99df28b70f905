/** `/backups`: what is backed up, where it lies, and when it was last proven to restore. */
import { Hono } from "hono";
import type { BackupsState } from "../backup/backups.ts";
import { copiesPhrase, provenPhrase } from "../backup/describe.ts";
import { progressLine } from "../backup/progress.ts";
import { lineText } from "../chat/reply.ts";
import { formatAge, formatBytes, formatCount } from "../units.ts";
import type { Frame, WebDeps } from "./deps.ts";
import { Page, Sign, Time } from "./shell.tsx";

export function backupRoutes({ backups, clock, config }: WebDeps, frame: Frame): Hono {
  const app = new Hono();
  app.get("/backups", async (c) => {
    const state: BackupsState = (await backups?.()) ?? { backups: [], progress: undefined, trouble: undefined };
    const now = clock.now();
    const { progress, trouble } = state;
    return c.html(
      <Page
        title={titleOf(state, now)}
        bar={await frame.bar(c)}
        area="/backups"
        tone={trouble === undefined ? "info" : "errored"}
        live={progress !== undefined}
        scripts={["refresh"]}
      >
        <h1>Backups</h1>
        <div id="backups" data-live>
          {progress === undefined ? null : <p>{lineText(progressLine(progress))}</p>}
          {trouble === undefined ? null : (
            <p>
              <Sign tone="errored" word="not in order" /> since <Time at={trouble.since} />: {trouble.reason}
            </p>
          )}
          {state.backups.length === 0 ? (
            <p>
              There are none yet. <code>{config.prefix}backup</code> makes one, <code>backup:</code> in{" "}
              <code>docker-ci.yml</code> one every day.
            </p>
          ) : (
            <Table {...state} now={now} />
          )}
        </div>
        <p class="quiet">
          Each is restored into a docker-ci of its own as soon as it is made, and compared.{" "}
          <code>docker-ci restore</code> puts one back.
        </p>
      </Page>,
    );
  });
  return app;
}

function titleOf({ backups, trouble }: BackupsState, now: Date): string {
  const [newest] = backups;
  if (trouble !== undefined) return "▲ Backups: not in order";
  if (newest === undefined) return "Backups: none";
  return `Backups: the newest is ${formatAge(now.getTime() - Date.parse(newest.madeAt))} old`;
}

const Table = ({ backups, now }: BackupsState & { now: Date }) => (
  <div class="scroll">
    <table class="stack">
      <thead>
        <tr>
          <th scope="col">Backup</th>
          <th scope="col">Made</th>
          <th scope="col" class="number">
            Size
          </th>
          <th scope="col" class="number">
            Builds
          </th>
          <th scope="col">Proof</th>
          <th scope="col">Where</th>
        </tr>
      </thead>
      <tbody>
        {backups.map((each) => (
          <tr>
            <th scope="row">{each.name}</th>
            <td>
              <Time at={each.madeAt} />
            </td>
            <td class="number" data-label="size">
              {formatBytes(each.bytes)}
            </td>
            <td class="number" data-label="builds">
              {each.builds === undefined ? "" : formatCount(each.builds)}
            </td>
            <td class="wide">
              {each.fault !== undefined || !each.isThere ? (
                <strong>{provenPhrase(each, now)}</strong>
              ) : (
                provenPhrase(each, now)
              )}
              {each.unchangedAt === undefined ? null : (
                <span class="quiet">
                  {" "}
                  · nothing had changed at <Time at={each.unchangedAt} />
                </span>
              )}
            </td>
            <td>{copiesPhrase(each)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);
