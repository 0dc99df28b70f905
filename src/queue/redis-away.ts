/** What is said to people while Redis is away: with the reason, where it is one that they can mend. */
import type { Config } from "../config.ts";
import { spaceOf } from "../retention/disk.ts";
import { formatBytes } from "../units.ts";

/** With less than this free, a file of Redis that grows by a page does not fit. */
const FULL_BYTES = 1024 ** 2;

/** Two phrases: what is wrong, and what mends it. @param error one that `isRedisAway` knows. Never throws. */
export async function redisAwayWords(
  error: unknown,
  config: Pick<Config, "redis" | "dataDir">,
): Promise<{ readonly wrong: string; readonly mend: string }> {
  if (/\bMISCONF\b/.test(String(error))) {
    // Redis' own word for it: it takes no changes until it can write them down.
    return { wrong: "Redis cannot write to its disk", mend: "Make room there: it goes on by itself." };
  }
  if (config.redis.kind === "embedded") {
    const disk = await spaceOf("data folder", config.dataDir).catch(
      () => undefined /* then the disk is not what we know */,
    );
    if (disk !== undefined && disk.freeBytes < FULL_BYTES) {
      const free = `${formatBytes(disk.freeBytes)} of ${formatBytes(disk.totalBytes)} are free`;
      return {
        wrong: `the disk of the data folder is full (${free}), and Redis cannot write`,
        mend: "Make room there: docker-ci goes on by itself.",
      };
    }
  }
  return { wrong: "Redis does not answer", mend: "Try again in a minute; the log has the details." };
}
