/** `dcr FILE register DOMAIN` (O-147). */
import type { Application } from "../application.ts";
import { backendUrl, inspect, publishedPort, stateOf } from "../container.ts";
import { register as withRegistration } from "../gateways/frontend.ts";
import { waitUntilHealthy } from "../health.ts";
import { OUTCOME_HEADERS, onEveryHost, registered, type Session } from "../session.ts";
import type { Row } from "../table.ts";
import { changeEverywhere, GATEWAY_HEADERS } from "./gateway-outcomes.ts";
import { tell, type Verb } from "./verb.ts";

export const register: Verb = {
  name: "register",
  summary: "send requests for the domain to each container that runs, once it is healthy",
  takesDomain: "optional",
  options: [],
  usesGateways: true,
  async run(session) {
    let isWell = true;
    for (const { application, domain } of registered(session)) {
      const { rows, backends } = await runningBackends(session, application, domain);
      if (backends.length === 0) {
        isWell = tell(session, OUTCOME_HEADERS, rows) && false;
        session.errors.write(`${application.container} is not registered for ${domain}: it runs nowhere.\n`);
        continue;
      }
      // What is well needs no line of its own: the gateways' lines name it.
      isWell =
        tell(
          session,
          OUTCOME_HEADERS,
          rows.filter(({ failed }) => failed),
        ) && isWell;
      const { release } = application;
      const changed = await changeEverywhere(
        session,
        domain,
        (state) => withRegistration(state, { release, backends }),
        `registered ${release}`,
      );
      isWell = tell(session, GATEWAY_HEADERS, changed) && isWell;
    }
    return isWell;
  },
};

/** The backends of every host where it runs and is healthy, in the hosts' order. */
export async function runningBackends(
  session: Session,
  application: Application,
  domain: string,
): Promise<{ readonly rows: readonly Row[]; readonly backends: readonly string[] }> {
  const found = new Map<string, string>();
  const { daemons, signal } = session;
  const rows = await onEveryHost({ daemons, applications: [application] }, async (daemon) => {
    const state = stateOf(await inspect(daemon, application.container));
    if (state !== "running") return { result: `${state}, left out` };
    const info = await waitUntilHealthy(daemon, application, { host: domain, signal });
    found.set(daemon.name, backendUrl(daemon.host, publishedPort(info, application)));
    return { result: "running" };
  });
  return { rows, backends: daemons.flatMap(({ name }) => found.get(name) ?? []) };
}

/** The backends of containers that are there, healthy or not; hosts that do not answer have none. */
export async function knownBackends({ daemons }: Session, application: Application): Promise<readonly string[]> {
  const found = await Promise.all(
    daemons.map(async (daemon) => {
      try {
        await daemon.reach();
        const info = await inspect(daemon, application.container);
        return info === undefined ? [] : [backendUrl(daemon.host, publishedPort(info, application))];
      } catch {
        // Stopped, or its host is away: what was recorded when it was registered is enough.
        return [];
      }
    }),
  );
  return found.flat();
}
