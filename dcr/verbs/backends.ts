/** `dcr FILE backends DOMAIN` (O-151). */
import { registered } from "../session.ts";
import { listed, onEveryGateway } from "./gateway-outcomes.ts";
import { tell, type Verb } from "./verb.ts";

export const backends: Verb = {
  name: "backends",
  summary: "who answers for the domain, and who did before the last change",
  takesDomain: "optional",
  options: [],
  usesGateways: true,
  async run(session) {
    let isWell = true;
    const domains = session.domain === undefined ? registered(session).map(({ domain }) => domain) : [session.domain];
    for (const domain of domains) {
      const rows = await onEveryGateway(session.gateways, domain, async (gateway) => {
        const { frontend, record } = await gateway.read(domain);
        const [now = "", ...more] = listed(frontend);
        return { result: now, details: [...more, ...(record.previous ? [`before: ${listed(record.previous)}`] : [])] };
      });
      isWell = tell(session, ["GATEWAY", "DOMAIN", "BACKENDS"], rows) && isWell;
    }
    return isWell;
  },
};
