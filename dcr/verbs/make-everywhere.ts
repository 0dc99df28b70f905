/** What `create` and `start` share: each container made or brought up on every host, and the outcomes told. */
import { environments, type Making } from "../bring-up.ts";
import { ProgressBoard } from "../progress.ts";
import { OUTCOME_HEADERS, type Outcome, onEveryHost, type Session } from "../session.ts";
import { boardOf } from "./pull.ts";
import { tell } from "./verb.ts";

/** One container after the other on a host, and none after one that failed. @returns whether all went well. */
export async function makeEverywhere(session: Session, make: (making: Making) => Promise<Outcome>): Promise<boolean> {
  const env = environments(session);
  const board = new ProgressBoard(boardOf(session));
  const rows = await onEveryHost(
    session,
    (daemon, application) => make({ session, daemon, application, env: env.get(application) ?? new Map(), board }),
    { chained: true },
  );
  return tell(session, OUTCOME_HEADERS, rows);
}
