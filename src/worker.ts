/** The part of the process that works: takes builds from the queue and drives an engine with them. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { LivePublisher } from "./builds/build-log.ts";
import type { Builds } from "./builds/builds.ts";
import { type Cancellations, watchCancellations } from "./builds/cancellations.ts";
import { publishLive } from "./builds/live-log.ts";
import type { BuildStore } from "./builds/store.ts";
import { systemClock } from "./clock.ts";
import type { Config } from "./config.ts";
import type { Delivery } from "./delivery/delivery.ts";
import { describeError } from "./errors.ts";
import type { FlakyLedger } from "./flaky/ledger.ts";
import type { Quarantine } from "./flaky/quarantine.ts";
import type { Opened } from "./lifecycle.ts";
import type { BuildNumber } from "./names.ts";
import { VERSION } from "./package.ts";
import { createBuildWorker, type JobOutcome } from "./queue/build-queue.ts";
import { PROTOCOL } from "./queue/protocol.ts";
import type { RedisConnections } from "./queue/redis.ts";
import { watchGate } from "./queue/worker-gate.ts";
import { announceWorker } from "./queue/workers.ts";
import { type DiskWatch, type DiskWatchScene, watchDisks } from "./retention/disk-watch.ts";
import type { Revisions } from "./revisions.ts";
import type { ContainerRuntime } from "./runtime.ts";

/** How often it is looked whether a build that was left here, to be gone on with, has ended or gone to another worker. */
const SWEEP_MS = 15_000;

/** An engine with its testbuilder. */
export interface Engine {
  readonly runtime: ContainerRuntime;
  readonly revisions: Revisions & { warm(signal: AbortSignal): Promise<void> };
}

/** What a worker's job needs of the process around it; jobs/build.ts is handed in by main.ts. */
export interface WorkerParts {
  readonly config: Config;
  readonly builds: Builds;
  readonly store: BuildStore;
  readonly engine: Engine;
  readonly cancellations: Cancellations;
  readonly quarantine: Quarantine;
  readonly flaky: FlakyLedger;
  readonly instance: string;
  readonly live: (number: BuildNumber) => LivePublisher;
  /** What this worker has, as far as its engine has answered. */
  readonly labels: () => readonly string[];
  /** How what builds leave behind comes to the bot; undefined in the bot's own process. */
  readonly delivery: Delivery | undefined;
  readonly log: Logger;
}

export interface BuildRunner {
  run(number: BuildNumber, lost: AbortSignal): Promise<JobOutcome>;
  /**
   * Removes what earlier attempts left on the engine and in the data folder, of builds that nobody goes on with here, and what was
   * kept on demand until now.
   */
  sweep(): Promise<void>;
  /** Resolves when nothing of finished builds is being tidied up any more. */
  settled(): Promise<void>;
}

export interface WorkerOptions extends Omit<WorkerParts, "cancellations" | "live" | "labels"> {
  readonly redis: RedisConnections;
  /** Where builds write to, and how room is made there. */
  readonly disks: Pick<DiskWatchScene, "places" | "clearUp">;
  /** A worker alone takes only what its own configuration knows; beside the bot it also ends what nobody knows any more. */
  readonly role: "everything" | "worker";
  readonly createRunner: (parts: WorkerParts) => BuildRunner;
  /** Sentences for whoever started the process. */
  say(text: string): void;
}

export interface LocalWorker {
  /** Numbers of the builds at work here. */
  readonly active: ReadonlySet<number>;
  /** Takes no more jobs; waits for those at work, then hands them over to the next start. */
  stop(drainMs: number, force: AbortSignal): Promise<void>;
}

/** @param opened closes what is opened here. */
export async function openWorker(options: WorkerOptions, opened: Opened): Promise<LocalWorker> {
  const { config, log, say, engine, builds, redis } = options;
  const cancellations = opened.add("cancellations", await watchCancellations(builds, redis.open(), log));
  let architecture: string | undefined;
  const labels = (): readonly string[] =>
    [...new Set([...config.labels, ...(architecture === undefined ? [] : [architecture])])].toSorted();
  const runner = options.createRunner({
    ...options,
    cancellations,
    labels,
    live: (number) => publishLive(redis.commands, number, log),
  });
  let engineName = "no engine answered yet";
  let disks: DiskWatch | undefined;
  const stopping = new AbortController();
  opened.add("warming up", {
    async [Symbol.asyncDispose]() {
      // What the start fails over after this must not leave it trying for ever.
      stopping.abort();
    },
  });
  const warmUp = async (): Promise<void> => {
    // The engine may be started after us, and may go and come back: what it needs is done once it answers.
    for (let delayMs = 1_000; !stopping.signal.aborted; delayMs = Math.min(delayMs * 2, 30_000)) {
      try {
        const info = await engine.runtime.info(stopping.signal);
        ({ architecture } = info);
        engineName = `${info.name}: Docker ${info.version}, ${info.cpus} CPUs`;
        heartbeat.beat();
        await runner.sweep();
        await engine.revisions.warm(stopping.signal);
        return;
      } catch (error) {
        if (stopping.signal.aborted) return;
        if (delayMs === 1_000) say(`warning: ${describeError(error)}`);
        log.warn({ err: error }, "the engine is not ready; looking again");
      }
      await sleep(delayMs, undefined, { signal: stopping.signal }).catch(() => undefined /* the loop sees the abort */);
    }
  };
  const keepSweeping = async (): Promise<void> => {
    const pause = () => sleep(SWEEP_MS, undefined, { signal: stopping.signal }).catch(() => undefined /* seen below */);
    for (await pause(); !stopping.signal.aborted; await pause()) {
      await runner.sweep().catch((error: unknown) => {
        log.warn({ reason: describeError(error) }, "could not look for what builds left; looking again");
      });
    }
  };
  const name = config.workerName;
  const knownOnly = options.role === "worker";
  const taking = () => ({ name, labels: labels(), protocol: PROTOCOL, knownOnly });
  const how = { concurrency: config.concurrency, limits: config.projects, log, taking, isHeld: true };
  const worker = opened.add(
    "worker",
    createBuildWorker(redis.open(), how, async (number, lost) => {
      heartbeat.beat();
      try {
        const outcome = await runner.run(number, lost);
        // What it left may be what fills the disk: no other begins here before that is known.
        if (!stopping.signal.aborted) await disks?.glance();
        if (disks?.held !== undefined) await watched.look();
        return outcome;
      } finally {
        // When it is not among those at work any more.
        setImmediate(() => heartbeat.beat());
      }
    }),
  );
  const heartbeat = opened.add(
    "heartbeat",
    announceWorker(
      redis.commands,
      () => ({
        name,
        engine: engineName,
        slots: config.concurrency,
        active: [...worker.active],
        version: VERSION,
        labels: [...labels()],
        protocol: PROTOCOL,
        ...(disks?.held === undefined ? {} : { held: disks.held }),
      }),
      systemClock,
      log,
    ),
  );
  let isFull = false;
  const gate = {
    redis: redis.commands,
    subscriber: redis.open(),
    worker: name,
    log,
    also: () => disks?.held,
    changed(reason: string | undefined) {
      heartbeat.beat();
      const wasFull = isFull;
      isFull = reason !== undefined && reason === disks?.held;
      if (reason === undefined) return worker.goOn();
      worker.hold();
      // How much is free changes all the time.
      if (!(wasFull && isFull)) say(`warning: this worker takes no builds: ${reason}`);
    },
  };
  const watched = opened.add("gate", await watchGate(gate));
  const scene = {
    ...options.disks,
    worker: name,
    freeBytes: config.retention.freeBytes,
    config,
    redis: redis.commands,
  };
  disks = opened.add(
    "disks",
    watchDisks({ ...scene, clock: systemClock, log }, () => void watched.look()),
  );
  const tending = warmUp().then(keepSweeping);
  return {
    active: worker.active,
    async stop(drainMs, force) {
      stopping.abort();
      worker.stopTaking();
      const deadline = Date.now() + drainMs;
      while (worker.active.size > 0 && Date.now() < deadline && !force.aborted) await sleep(25);
      if (worker.active.size > 0) {
        log.info({ builds: [...worker.active] }, "leaving builds to the next start");
        cancellations.handOver();
        const handed = Date.now() + 5_000;
        while (worker.active.size > 0 && Date.now() < handed) await sleep(25);
      }
      await Promise.race([Promise.allSettled([runner.settled(), tending]), sleep(5_000, undefined, { ref: false })]);
    },
  };
}
