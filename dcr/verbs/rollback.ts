/** `dcr FILE rollback DOMAIN`: back to the list before the last change (O-150). */

import { once } from "node:events";
import { connect } from "node:net";
import { UserError } from "../../src/errors.ts";
import type { Daemon } from "../daemon.ts";
import { rollBack, type State } from "../gateways/frontend.ts";
import { change } from "../gateways/gateway.ts";
import { answerAt, type Reach } from "../health.ts";
import { registered, type Session } from "../session.ts";
import { GATEWAY_HEADERS, listed, onEveryGateway } from "./gateway-outcomes.ts";
import { tell, type Verb } from "./verb.ts";

export const rollback: Verb = {
  name: "rollback",
  summary: "back to the backends before the last change, if they answer (--force: whether or not)",
  takesDomain: "optional",
  options: ["force"],
  usesGateways: true,
  async run(session) {
    let isWell = true;
    for (const { application, domain } of registered(session)) {
      const rows = await onEveryGateway(session.gateways, domain, async (gateway) => {
        const silent = session.options.force
          ? []
          : await silentBackends(session, rollBack(await gateway.read(domain), domain), application.health, domain);
        if (silent.length > 0) {
          return {
            result: "failed: the earlier backends do not answer; start them again, or say --force",
            details: silent,
            failed: true,
          };
        }
        const { after } = await change(gateway, domain, (state) => rollBack(state, domain));
        return { result: `rolled back to ${after.frontend.identifier}`, details: listed(after.frontend) };
      });
      isWell = tell(session, GATEWAY_HEADERS, rows) && isWell;
    }
    return isWell;
  },
};

/** Those that would answer nobody, with the reason. */
async function silentBackends(session: Session, { frontend }: State, path: string, domain: string): Promise<string[]> {
  const reasons = await Promise.all(
    frontend.backends.map(async (backend) => {
      const { hostname, port } = new URL(backend);
      const host = hostname.replace(/^\[|\]$/g, "");
      const reason = await answerAt(reachOf(session.daemons, host), Number(port || 80), path, domain);
      return reason === undefined ? [] : [`${backend} ${reason}`];
    }),
  );
  return reasons.flat();
}

/** By the way its Engine is reached, where it is one of the hosts. */
function reachOf(daemons: readonly Daemon[], host: string): Reach {
  if (host === "") throw new UserError("A backend has no host.");
  return (
    daemons.find((daemon) => daemon.host === host) ?? {
      async connectTo(port) {
        const socket = connect(port, host);
        await once(socket, "connect");
        return socket;
      },
    }
  );
}
