/** `dcr FILE switch DOMAIN`: a new release in place of what answers now, without a moment between them (O-150, O-180). */
import { setTimeout as sleep } from "node:timers/promises";
import { describeError, RuntimeError } from "../../src/errors.ts";
import type { Application } from "../application.ts";
import { bringUp, environments } from "../bring-up.ts";
import { inspect, stateOf, stopContainer } from "../container.ts";
import type { Daemon } from "../daemon.ts";
import { askFirst } from "../first-request.ts";
import { replace, type State } from "../gateways/frontend.ts";
import { change, type Gateway } from "../gateways/gateway.ts";
import { checkHealth } from "../health.ts";
import { ProgressBoard } from "../progress.ts";
import { OUTCOME_HEADERS, onEveryHost, registered, type Session, toRow } from "../session.ts";
import { GATEWAY_HEADERS, listed } from "./gateway-outcomes.ts";
import { boardOf } from "./pull.ts";
import { runningBackends } from "./register.ts";
import { tell, type Verb } from "./verb.ts";

const LOOK_EVERY_MS = 500;
/** One request may be lost on the way; two in a row are a reason to go back. */
const SILENT_LOOKS = 2;
/** A gateway may have looked up the backends just before it was told of others. */
const LATE_REQUESTS_MS = 1_000;

interface Switched {
  readonly gateway: Gateway;
  readonly before: State;
  readonly after: State;
}

interface Started {
  readonly daemon: Daemon;
  readonly application: Application;
}

export const switchOver: Verb = {
  name: "switch",
  summary:
    "start what does not run, wait until it is healthy, and put it in place of all backends in one step; it is watched " +
    "(--watch, 5s), and all goes back when it does not stay healthy",
  takesDomain: "optional",
  options: ["watch", "recreate"],
  usesGateways: true,
  async run(session) {
    const targets = registered(session);
    const { rows, started } = await startAll(session);
    if (!tell(session, OUTCOME_HEADERS, rows)) {
      await stopAll(started);
      session.errors.write(`${targets.map(({ domain }) => domain).join(", ")}: as before, nothing was switched.\n`);
      return false;
    }
    for (const { application, domain } of targets) {
      const switched: Switched[] = [];
      try {
        const backends = await switchEverywhere(session, application, domain, switched);
        await askFirst(session, application, domain, backends);
        await watch(session, application, domain);
      } catch (error) {
        const isBack = await goBack(switched, domain, session);
        if (isBack) {
          if (switched.length > 0) await sleep(LATE_REQUESTS_MS);
          await stopAll(started);
        }
        if (session.signal.aborted) throw error;
        const reason = error instanceof RuntimeError ? error.message : describeError(error);
        session.errors.write(
          `${domain}: ${isBack ? "gone back to what was there" : "NOT gone back everywhere"}: ${reason}.\n`,
        );
        return false;
      }
      const said = switched.map(({ gateway, before, after }) =>
        toRow([gateway.name, domain], {
          result: `switched to ${after.frontend.identifier}`,
          details: [...listed(after.frontend), `before: ${listed(before.frontend)}`],
        }),
      );
      tell(session, GATEWAY_HEADERS, said);
    }
    return true;
  },
};

async function startAll(session: Session) {
  const env = environments(session);
  const board = new ProgressBoard(boardOf(session));
  const started: Started[] = [];
  const rows = await onEveryHost(
    session,
    async (daemon, application) => {
      const making = {
        session,
        daemon,
        application,
        env: env.get(application) ?? new Map(),
        board,
        leavesRunning: true,
      };
      const wasRunning = stateOf(await inspect(daemon, application.container)) === "running";
      // Healthy or not: what did not run before does not run on when nothing is switched.
      if (!wasRunning) started.push({ daemon, application });
      return await bringUp(making);
    },
    { chained: true },
  );
  return { rows, started };
}

/**
 * @param switched what was done, for going back. @returns the backends of now.
 * @throws RuntimeError at the first gateway that fails.
 */
async function switchEverywhere(
  session: Session,
  application: Application,
  domain: string,
  switched: Switched[],
): Promise<readonly string[]> {
  const { rows, backends } = await runningBackends(session, application, domain);
  const missing = rows.find(({ failed }) => failed);
  if (missing !== undefined || backends.length < session.daemons.length) {
    throw new RuntimeError(missing?.cells.join(" ") ?? `${application.container} does not run on every host`);
  }
  for (const gateway of session.gateways) {
    session.signal.throwIfAborted();
    const release = { release: application.release, backends };
    switched.push({ gateway, ...(await change(gateway, domain, (state) => replace(state, release))) });
  }
  return backends;
}

/** @throws RuntimeError when a container is not healthy any more. */
async function watch({ daemons, options, signal }: Session, application: Application, domain: string): Promise<void> {
  const until = Date.now() + options.watchMs;
  const silent = new Map<Daemon, number>();
  while (Date.now() < until) {
    await sleep(Math.min(LOOK_EVERY_MS, options.watchMs), undefined, { signal });
    for (const daemon of daemons) {
      const health = await checkHealth(daemon, application, domain);
      const looks = health.kind === "waiting" ? (silent.get(daemon) ?? 0) + 1 : 0;
      silent.set(daemon, looks);
      if (health.kind === "broken" || (health.kind === "waiting" && looks >= SILENT_LOOKS)) {
        throw new RuntimeError(`${health.reason} (on ${daemon.name})`);
      }
    }
  }
}

/** Only where the list is still the one that was put there. @returns whether it is what it was at every gateway. */
async function goBack(switched: readonly Switched[], domain: string, session: Session): Promise<boolean> {
  let isBack = true;
  for (const { gateway, before, after } of switched) {
    try {
      if (await gateway.commit(domain, after, before)) continue;
      session.errors.write(`${gateway.name}: somebody else has changed ${domain} meanwhile; it is left as it is.\n`);
    } catch (error) {
      session.errors.write(`${gateway.name}: ${describeError(error)}\n`);
    }
    isBack = false;
  }
  return isBack;
}

async function stopAll(started: readonly Started[]): Promise<void> {
  await Promise.allSettled(started.map(({ daemon, application }) => stopContainer(daemon, application.container)));
}
