/** One backup, in a process of its own; `backup.ts` starts it: `<data folder> archive` only writes it, `whole` proves it as well. */
import { join } from "node:path";
import { Redis } from "ioredis";
import { pino } from "pino";
import { writeArchive } from "../src/backup/archive.ts";
import { createBackups } from "../src/backup/backups.ts";
import { takeSnapshot } from "../src/backup/snapshot.ts";
import { openWorkshop } from "../src/backup/workshop.ts";
import { systemClock } from "../src/clock.ts";
import { holdSmallHeap } from "../src/command-line/small-heap.ts";
import { parseConfig } from "../src/config.ts";
import { createSubscriptions } from "../src/incidents/subscriptions.ts";
import { socketPathFor } from "../src/queue/embedded-redis.ts";

// As the command line does.
holdSmallHeap();
const [dataDir = "", way = "", more = ""] = process.argv.slice(2);
const config = { ...parseConfig(more, { file: undefined, env: {}, cwd: dataDir }), dataDir };
const redis = new Redis({ path: socketPathFor(join(dataDir, "redis")) });
const { signal } = new AbortController();
const began = performance.now();
if (way === "archive") {
  await using work = await openWorkshop(join(dataDir, "backup"));
  const snapshot = await takeSnapshot(config, work.path, signal);
  const source = { config, instance: "bench", madeAt: new Date(), snapshot };
  await writeArchive(source, join(work.path, "archive"), { signal });
} else {
  const log = pino({ level: "silent" });
  const subscriptions = createSubscriptions(redis, systemClock);
  const openStore = async () => Promise.reject(new Error("there is no bucket here"));
  await createBackups({ config, redis, subscriptions, clock: systemClock, log, openStore }).run({ signal });
}
const ms = performance.now() - began;
redis.disconnect();
console.log(JSON.stringify({ ms, peakBytes: process.resourceUsage().maxRSS * 1024 }));
