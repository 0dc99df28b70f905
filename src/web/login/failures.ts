/** How often a wrong password may be tried from an address. In this process's memory: only the page's process sees them. */
import { isIPv6 } from "node:net";
import type { Clock } from "../../clock.ts";

const ALLOWED = 5;
const WINDOW_MS = 60_000;
/** Beyond this many the oldest are forgotten, so that nobody can fill the memory. */
const ADDRESSES_KEPT = 10_000;

export interface Failures {
  /** Seconds until that address may try again; undefined when it may now. */
  waitS(address: string): number | undefined;
  add(address: string): void;
}

/**
 * Five in a minute, unless `allowed` says otherwise; loopback counts like any other, since a proxy that is not configured makes
 * everybody come from there.
 */
export function createFailures(clock: Clock, allowed: number = ALLOWED): Failures {
  const times = new Map<string, readonly number[]>();
  const recent = (key: string): readonly number[] => {
    const since = clock.now().getTime() - WINDOW_MS;
    return (times.get(key) ?? []).filter((at) => at > since);
  };
  return {
    waitS(address) {
      const failed = recent(networkOf(address));
      const first = failed.at(-allowed);
      if (first === undefined) return undefined;
      return Math.max(1, Math.ceil((first + WINDOW_MS - clock.now().getTime()) / 1_000));
    },
    add(address) {
      const key = networkOf(address);
      const failed = [...recent(key), clock.now().getTime()].slice(-allowed);
      // To the end: the map's order is the order of the last failures.
      times.delete(key);
      times.set(key, failed);
      const [oldest] = times.keys();
      if (times.size > ADDRESSES_KEPT && oldest !== undefined) times.delete(oldest);
    },
  };
}

/** Whoever has one IPv6 address has a whole /64 of them. */
function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = "", tail] = address.split("%")[0]?.split("::") ?? [];
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const groups =
    tail === undefined ? left : [...left, ...Array(Math.max(0, 8 - left.length - right.length)).fill("0"), ...right];
  return groups.slice(0, 4).join(":");
}
