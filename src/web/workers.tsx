/** `/workers`: who works, and at what. */
import { Hono } from "hono";
import { SIGNS } from "../chat/reply.ts";
import { slotsOf, type WorkerStatus } from "../queue/worker-status.ts";
import type { Frame, WebDeps } from "./deps.ts";
import { Ago, Page, Sign } from "./shell.tsx";

export function workerRoutes({ workers, clock }: WebDeps, frame: Frame): Hono {
  const app = new Hono();
  app.get("/workers", async (c) => {
    const up = await workers();
    const busy = up.some(({ active }) => active.length > 0);
    const tone = up.length === 0 ? "errored" : busy ? "running" : "info";
    return c.html(
      <Page title={titleOf(up)} bar={await frame.bar(c)} area="/workers" tone={tone} live={busy} scripts={["refresh"]}>
        <h1>Workers</h1>
        <div id="workers" data-live>
          {up.length === 0 ? (
            <p>
              <Sign tone="errored" word="no worker is up:" /> builds wait until one is. <code>docker-ci worker</code> is
              one on any machine with a Docker Engine.
            </p>
          ) : (
            <Workers workers={up} now={clock.now()} />
          )}
        </div>
      </Page>,
    );
  });
  return app;
}

/** What a row of browser tabs shows: `● 1 of 4 slots in use`. */
function titleOf(workers: readonly WorkerStatus[]): string {
  if (workers.length === 0) return `${SIGNS.errored} no worker is up`;
  const used = workers.reduce((sum, { active }) => sum + active.length, 0);
  const slots = slotsOf(workers);
  return `${used > 0 ? `${SIGNS.running} ` : ""}${used} of ${slots} slots in use`;
}

const Workers = ({ workers, now }: { workers: readonly WorkerStatus[]; now: Date }) => (
  <div class="scroll">
    <table class="stack">
      <thead>
        <tr>
          <th scope="col">Worker</th>
          <th scope="col">State</th>
          <th scope="col" class="number">
            Slots
          </th>
          <th scope="col">Building</th>
          <th scope="col">Labels</th>
          <th scope="col">Engine</th>
          <th scope="col">docker-ci</th>
          <th scope="col">Heard of</th>
        </tr>
      </thead>
      <tbody>
        {workers.map(({ name, engine, slots, active, version, seenAt, labels, draining, refused }) => (
          <tr>
            <th scope="row">{name}</th>
            <td>
              {active.length > 0 ? <Sign tone="running" word="at work" /> : "idle"}
              {draining ? ", draining: takes no more builds" : ""}
              {refused === undefined ? (
                ""
              ) : (
                <>
                  , <Sign tone="errored" word="takes nothing:" /> {refused}
                </>
              )}
            </td>
            <td class="number" data-label="slots">
              {active.length} of {slots}
            </td>
            <td>
              {active.map((number, index) => (
                <>
                  {index === 0 ? "" : ", "}
                  <a href={`/builds/${number}`}>#{number}</a>
                </>
              ))}
            </td>
            <td>{labels.join(", ")}</td>
            <td class="wide">{engine}</td>
            <td data-label="docker-ci">{version}</td>
            <td>
              <Ago at={seenAt} now={now} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);
