/** `dcr FILE unregister_all DOMAIN` (O-149). */
import { unregisterAll as withoutAny } from "../gateways/frontend.ts";
import { registered } from "../session.ts";
import { changeEverywhere, GATEWAY_HEADERS } from "./gateway-outcomes.ts";
import { confirm, tell, type Verb } from "./verb.ts";

export const unregisterAll: Verb = {
  name: "unregister_all",
  summary: "take every backend from the domain, whosever it is. Asks first, unless --yes is said",
  takesDomain: "optional",
  options: ["yes"],
  usesGateways: true,
  async run(session) {
    let isWell = true;
    for (const { domain } of registered(session)) {
      if (!(await confirm(session, `Leave ${domain} without any backend?`))) {
        session.output.write(`${domain} is as it was.\n`);
        isWell = false;
        continue;
      }
      const rows = await changeEverywhere(session, domain, (state) => withoutAny(state, domain), "unregistered all");
      isWell = tell(session, GATEWAY_HEADERS, rows) && isWell;
    }
    return isWell;
  },
};
