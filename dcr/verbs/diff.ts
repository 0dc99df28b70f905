/** `dcr FILE diff`: what `start` would change. */
import { environments } from "../bring-up.ts";
import { differencesOf, inspect } from "../container.ts";
import { OUTCOME_HEADERS, onEveryHost } from "../session.ts";
import { tell, type Verb } from "./verb.ts";

export const diff: Verb = {
  name: "diff",
  summary: "what start would change; of the environment only names and that a value changed",
  takesDomain: "never",
  options: [],
  usesGateways: false,
  async run(session) {
    const env = environments(session);
    const rows = await onEveryHost(session, async (daemon, application) => {
      const info = await inspect(daemon, application.container);
      if (info === undefined) return { result: "would be created and started" };
      const changed = await differencesOf(daemon, application, env.get(application) ?? new Map(), info);
      if (changed.length > 0) return { result: "start --recreate would replace it:", details: changed };
      return { result: info.State.Running ? "nothing" : "would be started" };
    });
    return tell(session, OUTCOME_HEADERS, rows);
  },
};
