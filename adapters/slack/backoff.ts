/** How long to wait before connecting again. */
import type { SlackTiming } from "./options.ts";

/**
 * A random wait of half to the whole of a twentieth of the outage so far, within the bounds: 0.5 s for the first 10 s, 3 s after a
 * minute, 30 s after 10 minutes. So people wait little longer than the outage was, and many bots do not return at one moment.
 */
export function reconnectDelayMs(outageMs: number, timing: SlackTiming, random: () => number): number {
  const { reconnectMinMs: min, reconnectMaxMs: max } = timing;
  return Math.min(max, Math.max(min, outageMs / 20)) * (0.5 + random() / 2);
}
