/** `docker-ci worker`: takes builds from the queue of a docker-ci elsewhere. */
import { loadConfig } from "../config.ts";
import { openDataFolder } from "../data-folder.ts";
import { ConfigError } from "../errors.ts";
import { withExamples } from "../example-repositories.ts";
import { openLogger } from "../logger.ts";
import { start } from "../start.ts";
import type { Adapters } from "./adapters.ts";
import { catchStrays, onSignals } from "./signals.ts";

const DRAIN_MS = 8_000;

/** @throws ConfigError without a Redis that both machines reach. */
export async function startWorker(adapters: Adapters): Promise<number> {
  const configured = await loadConfig({ env: process.env, cwd: process.cwd() });
  if (configured.redis.kind === "embedded") {
    throw new ConfigError("A worker cannot start.", [
      "redis: is missing; a worker takes its builds from the Redis of the docker-ci that it works for",
    ]);
  }
  const config = await withExamples(configured);
  const log = openLogger({ kind: "stdout" });
  catchStrays(log);
  const running = await start({
    config,
    log,
    folder: await openDataFolder(config.dataDir),
    chats: [],
    commands: [],
    openEngine: (instance) => adapters.openEngine(config, instance, log),
    createRunner: adapters.createRunner,
    startReport: adapters.startReport,
    startNightlies: adapters.startNightlies,
    startPruning: adapters.startPruning,
    startBackups: adapters.startBackups,
    tools: adapters,
    loadReleaseJobs: adapters.loadReleaseJobs,
    role: "worker",
    say: (text) => log.info(text),
  });
  log.info({ slots: config.concurrency }, "working");
  const force = new AbortController();
  await new Promise<void>((resolve) => {
    let asked = false;
    const forget = onSignals((signal) => {
      if (asked) return force.abort();
      asked = true;
      log.info({ signal, active: [...running.active] }, "stopping");
      void running.stop(DRAIN_MS, force.signal).then(() => {
        forget();
        resolve();
      });
    });
  });
  return 0;
}
