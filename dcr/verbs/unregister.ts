/** `dcr FILE unregister DOMAIN` (O-148, O-180). */
import { unregister as withoutRegistration } from "../gateways/frontend.ts";
import { registered } from "../session.ts";
import { changeEverywhere, GATEWAY_HEADERS } from "./gateway-outcomes.ts";
import { knownBackends } from "./register.ts";
import { tell, type Verb } from "./verb.ts";

export const unregister: Verb = {
  name: "unregister",
  summary: "take this application's backends from the domain; its containers need not run, nor be there",
  takesDomain: "optional",
  options: [],
  usesGateways: true,
  async run(session) {
    let isWell = true;
    for (const { application, domain } of registered(session)) {
      const { release } = application;
      const backends = await knownBackends(session, application);
      const rows = await changeEverywhere(
        session,
        domain,
        (state) => withoutRegistration(state, { release, backends }, domain),
        `unregistered ${release}`,
      );
      isWell = tell(session, GATEWAY_HEADERS, rows) && isWell;
    }
    return isWell;
  },
};
