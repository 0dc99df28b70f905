/** Ends releases that nobody approved in time, within seconds of it. */
import type { Logger } from "pino";
import { describeError } from "../errors.ts";
import { lookAgainAndAgain } from "../schedules/look.ts";
import type { Releases } from "./releases.ts";

/** @param everyMs default: 20 seconds. */
export function startReleaseExpiry(
  releases: Pick<Releases, "expireDue">,
  log: Logger,
  everyMs?: number,
): AsyncDisposable {
  return lookAgainAndAgain(
    () =>
      releases.expireDue().catch((error: unknown) => {
        log.warn({ reason: describeError(error) }, "could not look for releases whose time is up");
      }),
    everyMs,
  );
}
