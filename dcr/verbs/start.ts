/** `dcr FILE start` (O-144). */
import { bringUp, environments } from "../bring-up.ts";
import { ProgressBoard } from "../progress.ts";
import { OUTCOME_HEADERS, onEveryHost } from "../session.ts";
import { boardOf } from "./pull.ts";
import { tell, type Verb } from "./verb.ts";

export const start: Verb = {
  name: "start",
  summary: "create and start, and wait until each container is healthy; one that runs is left alone",
  takesDomain: "never",
  options: ["recreate"],
  usesGateways: false,
  async run(session) {
    const env = environments(session);
    const board = new ProgressBoard(boardOf(session));
    const rows = await onEveryHost(
      session,
      async (daemon, application) => {
        const making = { session, daemon, application, env: env.get(application) ?? new Map(), board };
        return await bringUp(making);
      },
      { chained: true },
    );
    return tell(session, OUTCOME_HEADERS, rows);
  },
};
