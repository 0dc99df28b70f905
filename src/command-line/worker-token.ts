/** `docker-ci worker-token`: makes, lists and takes away the tokens with which workers bring their files to the page. */
import { userInfo } from "node:os";
import { createAudit } from "../audit/audit.ts";
import { systemClock } from "../clock.ts";
import { WORKER_NAME } from "../config/worker.ts";
import { loadConfig } from "../config.ts";
import { listWorkerTokens, makeWorkerToken, revokeWorkerToken } from "../delivery/worker-tokens.ts";
import { ConfigError } from "../errors.ts";
import { withRedis } from "./with-redis.ts";

/**
 * The token alone goes to standard output; it is shown once and only its hash is kept. Making one takes an earlier one's place.
 * @param worker undefined lists. @returns 0, or 1 when there was none to take away. @throws ConfigError for a name that is none.
 */
export async function workerToken(
  worker: string | undefined,
  revoke: boolean,
  out: { print(text: string): void; note(text: string): void },
): Promise<number> {
  if (worker !== undefined && !WORKER_NAME.test(worker)) {
    throw new ConfigError("There are no tokens for that.", [
      `found "${worker}", allowed: a worker's name, as worker_name has it in its configuration`,
    ]);
  }
  const config = await loadConfig({ env: process.env, cwd: process.cwd() });
  return withRedis(config, async (redis) => {
    if (worker === undefined) {
      const known = await listWorkerTokens(redis);
      if (known.size === 0) out.note("no worker has a token; docker-ci worker-token <name> makes one\n");
      for (const [name, since] of known) out.print(`${name}  since ${since}\n`);
      return 0;
    }
    // Before the act, as with every other that gives or takes a right.
    await createAudit(redis, systemClock).record({
      who: userInfo().username,
      account: null,
      room: null,
      action: "worker-token",
      detail: `${revoke ? "revoke " : ""}${worker}`,
      outcome: "accepted",
    });
    if (revoke) {
      const had = await revokeWorkerToken(redis, worker);
      out.note(had ? `${worker} has no token any more\n` : `${worker} had no token\n`);
      return had ? 0 : 1;
    }
    const had = (await listWorkerTokens(redis)).has(worker);
    out.print(`${await makeWorkerToken(redis, worker, systemClock)}\n`);
    out.note(
      `for worker_token: in the configuration of ${worker}, or its variable WORKER_TOKEN${had ? "; the one before counts no more" : ""}\n`,
    );
    return 0;
  });
}
