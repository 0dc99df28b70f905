/** The job that clears up again and again. Doing it twice is the same as doing it once, so nothing remembers when it was done. */
import { setTimeout as sleep } from "node:timers/promises";
import { describeError } from "../src/errors.ts";
import { type Pruned, type PruneScene, type Pruning, prune } from "../src/retention/prune.ts";
import { prunedFacts } from "../src/retention/words.ts";

const EVERY_MS = 6 * 60 * 60_000;
/** After a start there is better to do. */
const FIRST_MS = 2 * 60_000;

export function startPruning(scene: PruneScene, { everyMs = EVERY_MS, firstMs = FIRST_MS } = {}): Pruning {
  const stopping = new AbortController();
  let working: Promise<Pruned | undefined> | undefined;
  const now = (): Promise<Pruned | undefined> => {
    working ??= prune(scene, { dryRun: false, signal: stopping.signal })
      .then((pruned) => {
        if (pruned !== undefined) scene.log.info({ came: prunedFacts(pruned, false).join(" · ") }, "cleared up");
        return pruned;
      })
      .catch((error: unknown) => {
        if (!stopping.signal.aborted) scene.log.warn({ reason: describeError(error) }, "could not clear up");
        return undefined;
      })
      .finally(() => {
        working = undefined;
      });
    return working;
  };
  const first = setTimeout(() => void now(), firstMs);
  const timer = setInterval(() => void now(), everyMs);
  first.unref();
  timer.unref();
  return {
    now,
    async [Symbol.asyncDispose]() {
      clearTimeout(first);
      clearInterval(timer);
      stopping.abort(new Error("docker-ci is stopping"));
      await Promise.race([working, sleep(2_000, undefined, { ref: false })]);
    },
  };
}
