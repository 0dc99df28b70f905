/** `dcr FILE stop` (O-145). */
import { inspect, stateOf, stopContainer } from "../container.ts";
import { OUTCOME_HEADERS, onEveryHost } from "../session.ts";
import { tell, type Verb } from "./verb.ts";

export const stop: Verb = {
  name: "stop",
  summary: "stop each container, the file's last one first; it is killed after 30 s",
  takesDomain: "never",
  options: [],
  usesGateways: false,
  async run(session) {
    const rows = await onEveryHost(
      session,
      async (daemon, { container }) => {
        const state = stateOf(await inspect(daemon, container));
        if (state !== "running") return { result: state === "stopped" ? "stopped already" : state };
        await stopContainer(daemon, container);
        return { result: "stopped" };
      },
      { backwards: true },
    );
    return tell(session, OUTCOME_HEADERS, rows);
  },
};
