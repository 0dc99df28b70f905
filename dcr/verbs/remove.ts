/** `dcr FILE remove` (O-145). */
import { inspect, removeContainer, stateOf } from "../container.ts";
import { OUTCOME_HEADERS, onEveryHost } from "../session.ts";
import { confirm, hostNames, tell, type Verb } from "./verb.ts";

export const remove: Verb = {
  name: "remove",
  summary: "remove each container that is stopped; volumes stay. Asks first, unless --yes is said",
  takesDomain: "never",
  options: ["yes"],
  usesGateways: false,
  async run(session) {
    const names = session.applications.map(({ container }) => container).join(", ");
    if (!(await confirm(session, `Remove ${names} on ${hostNames(session)}?`))) {
      session.output.write("Nothing is removed.\n");
      return false;
    }
    const rows = await onEveryHost(
      session,
      async (daemon, { container }) => {
        const state = stateOf(await inspect(daemon, container));
        if (state === "doesnotexist") return { result: state };
        if (state === "running") return { result: "failed: it is running; stop it first", failed: true };
        await removeContainer(daemon, container);
        return { result: "removed" };
      },
      { backwards: true },
    );
    return tell(session, OUTCOME_HEADERS, rows);
  },
};
