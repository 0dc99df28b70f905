/** `dcr FILE rollback DOMAIN`: back to the list before the last change (O-150). */
import { describeError, RuntimeError } from "../../src/errors.ts";
import { answerOf, askFirst } from "../first-request.ts";
import { rollBack, type State } from "../gateways/frontend.ts";
import { change } from "../gateways/gateway.ts";
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
        const { before, after } = await change(gateway, domain, (state) => rollBack(state, domain));
        try {
          if (!session.options.force) await askFirst(session, application, domain, after.frontend.backends);
        } catch (error) {
          // An older docker-ci may refuse the records of a newer one.
          const isBack = await gateway.commit(domain, after, before);
          const left = isBack ? `still at ${before.frontend.identifier}` : "somebody else has changed it meanwhile";
          throw new RuntimeError(`${describeError(error)}; ${left}`, { cause: error });
        }
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
      const reason = await answerOf(session.daemons, backend, path, domain);
      return reason === undefined ? [] : [`${backend} ${reason}`];
    }),
  );
  return reasons.flat();
}
