/** BullMQ on Redis: it wakes a worker for every build that waits. The records decide; a job carries only a number. */
import { setTimeout as sleep } from "node:timers/promises";
import { Queue, WaitingError, Worker } from "bullmq";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { z } from "zod";
import type { BuildStore } from "../builds/store.ts";
import { BuildNumber } from "../names.ts";

const QUEUE_NAME = "builds";
const PREFIX = "docker-ci:bull";
const Payload = z.strictObject({ number: BuildNumber });

/**
 * A worker that has not renewed its lock for this long (it does at half of it) is taken for dead, and its job is given to
 * another. Short, because being wrong is harmless: the record lets only one of them write.
 */
const LOCK_MS = 6_000;
const STALLED_CHECK_MS = 2_000;
/** How often builds without a job are looked for: what a crash between writing a record and adding its job leaves. */
const SWEEP_MS = 10_000;

/** A job is waiting, then at work, then gone: a second look would do. */
const REMOVE_TRIES = 5;

const jobId = (number: number): string => `build-${number}`;

export interface BuildQueue extends AsyncDisposable {
  /** Wakes a worker for this build. Doing it twice is the same as doing it once. */
  add(number: BuildNumber): Promise<void>;
  /** Takes a waiting job out; one at work is not touched. */
  remove(number: BuildNumber): Promise<void>;
  /** Gives every build that waits or runs a job if it has none. */
  sweep(): Promise<void>;
}

/** @param connection one that never gives up; not closed here. */
export function createBuildQueue(connection: Redis, store: BuildStore, log: Logger): BuildQueue {
  const queue = new Queue(QUEUE_NAME, {
    connection,
    prefix: PREFIX,
    defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
  });
  queue.on("error", () => {
    // The connection logs its own outages.
  });

  const add = async (number: BuildNumber): Promise<void> => {
    await queue.add("build", { number }, { jobId: jobId(number) });
  };
  const sweep = async (): Promise<void> => {
    for (const state of ["queued", "running"] as const) {
      for (const build of await store.inState(state)) {
        if ((await queue.getJob(jobId(build.number))) !== undefined) continue;
        log.warn({ build: build.number, state }, "build had no job; queued it again");
        await add(build.number);
      }
    }
  };
  const timer = setInterval(() => {
    void sweep().catch((error: unknown) => log.error({ err: error }, "sweep failed"));
  }, SWEEP_MS);
  timer.unref();

  return {
    add,
    sweep,
    async remove(number) {
      for (let triesLeft = REMOVE_TRIES; ; triesLeft -= 1) {
        const job = await queue.getJob(jobId(number));
        if (job === undefined || (await job.isActive())) return;
        try {
          await job.remove();
          return;
        } catch (error) {
          // A worker took it, or ended it, since we looked: so look again.
          if (triesLeft === 0) throw error;
        }
      }
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await queue.close();
    },
  };
}

/** How a job ended for the queue: `done` needs nothing more, `give-back` lets the next worker, or the next start, go on. */
export type JobOutcome = "done" | "give-back";

export interface BuildWorker extends AsyncDisposable {
  /** Takes no more jobs; those at work go on. */
  stopTaking(): void;
  /** Numbers of the builds at work here. */
  readonly active: ReadonlySet<BuildNumber>;
}

/**
 * Takes jobs and runs them, `concurrency` at a time.
 * @param run is called with a signal that aborts when this worker lost the job to another (it was taken for dead).
 * Disposing waits for what is at work: stop that first.
 */
export function createBuildWorker(
  connection: Redis,
  concurrency: number,
  log: Logger,
  run: (number: BuildNumber, lost: AbortSignal) => Promise<JobOutcome>,
): BuildWorker {
  const active = new Set<BuildNumber>();
  const lost = new Map<string, AbortController>();
  const worker = new Worker(
    QUEUE_NAME,
    async (job, token) => {
      const { number } = Payload.parse(job.data);
      const controller = new AbortController();
      lost.set(jobId(number), controller);
      active.add(number);
      try {
        if ((await run(number, controller.signal)) === "done") return;
      } finally {
        active.delete(number);
        lost.delete(jobId(number));
      }
      await job.moveToWait(token);
      throw new WaitingError();
    },
    {
      connection,
      prefix: PREFIX,
      concurrency,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_CHECK_MS,
      // Attempts are counted in the record, which survives the queue.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      // The shortest time in which an idle worker notices a job that a restarted Redis forgot to announce.
      drainDelay: 2,
    },
  );
  worker.on("error", (error) => log.warn({ err: error }, "the queue reported a fault"));
  worker.on("lockRenewalFailed", (ids) => {
    for (const id of ids) lost.get(id)?.abort(new Error("another worker has taken this build over"));
  });
  worker.on("failed", (job, error) =>
    log.error({ err: error, job: job?.id }, "a build's job failed; the sweep retries it"),
  );

  let closing: Promise<void> | undefined;
  const stopTaking = (): void => {
    // Closing takes no more jobs from the first moment and waits for those at work; a pause waits for its own poll first.
    closing ??= worker
      .close()
      .catch((error: unknown) => log.warn({ err: error }, "the worker could not be closed cleanly"));
  };
  return {
    active,
    stopTaking,
    async [Symbol.asyncDispose]() {
      stopTaking();
      // A close waits for ever when Redis is away (bullmq 6), and what it would save the next start's stalled check saves too.
      await Promise.race([closing, sleep(3_000, undefined, { ref: false })]);
    },
  };
}
