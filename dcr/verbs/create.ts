/** `dcr FILE create` (O-143). */
import { environments, make } from "../bring-up.ts";
import { ProgressBoard } from "../progress.ts";
import { OUTCOME_HEADERS, onEveryHost } from "../session.ts";
import { boardOf } from "./pull.ts";
import { tell, type Verb } from "./verb.ts";

export const create: Verb = {
  name: "create",
  summary: "make each container where it is not there yet; an image that is not there is pulled",
  takesDomain: "never",
  options: ["recreate"],
  usesGateways: false,
  async run(session) {
    const env = environments(session);
    const board = new ProgressBoard(boardOf(session));
    const rows = await onEveryHost(
      session,
      (daemon, application) => make({ session, daemon, application, env: env.get(application) ?? new Map(), board }),
      { chained: true },
    );
    return tell(session, OUTCOME_HEADERS, rows);
  },
};
