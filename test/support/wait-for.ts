/** Waiting for something to become true, without a fixed sleep. */
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Polls until `probe` gives a value that is neither undefined nor false, and returns it.
 * @param what said when it does not happen, with the last value that was seen or the last error that was thrown.
 */
export async function waitFor<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  {
    timeoutMs = 15_000,
    everyMs = 25,
    seen = () => "",
  }: { timeoutMs?: number; everyMs?: number; seen?: () => unknown } = {},
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
      last = seen();
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}; last seen: ${String(last)}`);
    await sleep(everyMs);
  }
}
