/** One process at a time publishes a project's releases: a lease in Redis that is renewed, and whose loss ends the work at once. */
import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import type { ProjectName } from "../../names.ts";
import { leaseKey } from "../releases.ts";

/** The lease went to somebody else, or was taken away by `!unlock`. */
export class LeaseLostError extends Error {
  override readonly name = "LeaseLostError";
}

export interface Lease extends AsyncDisposable {
  /** Aborts with a LeaseLostError. */
  readonly signal: AbortSignal;
}

/** Who holds it: a process of that data folder, of which there is one at a time. A new one goes on where a killed one was. */
const TAKE = `
local holder = redis.call('GET', KEYS[1])
if holder and string.sub(holder, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'PX', ARGV[3])
return 1
`;
const RENEW = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`;
const GIVE_BACK = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`;

/**
 * @param instance of the data folder (`DataFolder.instance`). @returns undefined while another one holds it.
 */
export async function takeLease(
  redis: Redis,
  project: ProjectName,
  instance: string,
  leaseMs: number,
): Promise<Lease | undefined> {
  const key = leaseKey(project);
  const own = randomBytes(8).toString("hex");
  const holder = `${instance} ${own}`;
  if ((await redis.eval(TAKE, 1, key, `${instance} `, own, leaseMs)) !== 1) return undefined;
  const lost = new AbortController();
  const lose = (reason: string): void => {
    clearInterval(timer);
    lost.abort(new LeaseLostError(reason));
  };
  let goodUntil = Date.now() + leaseMs;
  const renew = async (): Promise<void> => {
    const asked = Date.now();
    try {
      if ((await redis.eval(RENEW, 1, key, holder, leaseMs)) === 1) goodUntil = asked + leaseMs;
      else lose("the lease is somebody else's");
    } catch {
      // Redis is away: whoever cannot renew in time must take it for lost, as another may have it by then.
      if (Date.now() >= goodUntil) lose("the lease could not be renewed in time");
    }
  };
  const timer = setInterval(
    () => {
      if (Date.now() >= goodUntil) lose("the lease could not be renewed in time");
      else void renew();
    },
    Math.max(10, leaseMs / 4),
  );
  timer.unref();
  return {
    signal: lost.signal,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      // Where Redis is away it ends by itself.
      await redis.eval(GIVE_BACK, 1, key, holder).catch(() => undefined);
    },
  };
}
