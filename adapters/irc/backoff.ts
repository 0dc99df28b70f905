/** How long to wait before the next connection. */
import type { IrcTiming } from "./options.ts";

/**
 * Why the last one ended: nobody answered or the link broke; the server sent us away with an ERROR; the services or the server
 * refused our name or password.
 */
export type Failure = "unreachable" | "sent away" | "refused";

export interface Outage {
  readonly failure: Failure;
  /** Since we were last connected. */
  readonly lastedMs: number;
  /** How often in a row we were sent away. */
  readonly sentAway: number;
}

/**
 * - Unreachable: a random wait of at most a hundredth of the outage so far, no less than 0.8 s and no more than 60 s at its
 *   upper end (so 0.8 s for the first 80 s, 3 s after 5 min, 60 s after 100 min). A refused connection costs both sides next to
 *   nothing, and doubling would make people wait as long again as the outage was. 0.8 s, because a server may hold back the
 *   JOIN after registering for another second (ngircd does), and 2 s is all we want to take.
 * - Sent away (throttled, banned, shutting down): doubled each time from 1 s to 60 s, for who knocks on gets banned for longer.
 * - Refused: rarely, since only a person can change it, but for ever.
 *
 * All with jitter, so that many bots do not return at one moment. Never under 50 ms.
 */
export function reconnectDelayMs(outage: Outage, timing: IrcTiming, random: () => number): number {
  const { reconnectMinMs: min, reconnectMaxMs: max } = timing;
  switch (outage.failure) {
    case "unreachable":
      return Math.max(50, random() * Math.min(max, Math.max(min, outage.lastedMs / 100)));
    case "sent away":
      return Math.max(50, random() * Math.min(max, 1000 * 2 ** Math.min(outage.sentAway - 1, 16)));
    case "refused":
      return timing.loginRetryMs * (0.5 + random() / 2);
    default:
      return outage.failure satisfies never;
  }
}
