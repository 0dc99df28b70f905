/**
 * BullMQ on Redis: it wakes workers. The records decide what a build is, and the line (line.ts) which one is next; a job says only
 * that something may be waiting. Who takes one asks the line, and wakes the next as long as anything waits.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Queue, WaitingError, Worker } from "bullmq";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { type Build, isFinished } from "../builds/build.ts";
import type { BuildStore } from "../builds/store.ts";
import type { BuildNumber } from "../names.ts";
import { createLine, type Limits } from "./line.ts";

const QUEUE_NAME = "builds";
const PREFIX = "docker-ci:bull";

/**
 * A worker that has not renewed its lock for this long (it does at half of it) is taken for dead, and its job is given to
 * another. Short, because being wrong is harmless: the record lets only one of them write.
 */
const LOCK_MS = 6_000;
const STALLED_CHECK_MS = 2_000;
/** How often builds that nobody has are looked for: what a crash between writing a record and putting it in line leaves. */
const SWEEP_MS = 10_000;

export interface BuildQueue extends AsyncDisposable {
  /** Puts it in line and wakes a worker. Doing it twice is the same as doing it once. */
  add(build: Build): Promise<void>;
  /** Takes one that waits out of the line; one at work is not touched. */
  remove(build: Pick<Build, "number" | "project">): Promise<void>;
  /** Wakes a worker if anything waits: what held it may be gone. */
  wake(): Promise<void>;
  /** Puts every build that waits or runs in line if nobody has it. */
  sweep(): Promise<void>;
}

/** @param connection one that never gives up; not closed here. */
export function createBuildQueue(connection: Redis, store: BuildStore, log: Logger): BuildQueue {
  const queue = openQueue(connection);
  const line = createLine(connection);

  const wake = async (): Promise<void> => {
    if (await line.isWaiting()) await wakeOne(queue);
  };
  const sweep = async (): Promise<void> => {
    for (const { number, taker } of await line.taken()) {
      if ((await queue.getJob(taker.job)) === undefined) await line.release(number, taker);
    }
    const under = [...(await store.numbersIn("queued")), ...(await store.numbersIn("running"))];
    const known = await line.numbers();
    for (const number of under.filter((number) => !known.has(number))) {
      const build = await store.get(number);
      // It may have ended since the lists were read.
      if (build === undefined || isFinished(build)) continue;
      log.warn({ build: number, state: build.state.kind }, "build had no job; queued it again");
      await line.add(build);
    }
    await wake();
  };
  const timer = setInterval(() => {
    void sweep().catch((error: unknown) => log.error({ err: error }, "sweep failed"));
  }, SWEEP_MS);
  timer.unref();

  return {
    wake,
    sweep,
    async add(build) {
      await line.add(build);
      await wakeOne(queue);
    },
    remove: (build) => line.remove(build),
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await queue.close();
    },
  };
}

function openQueue(connection: Redis): Queue {
  const queue = new Queue(QUEUE_NAME, {
    connection,
    prefix: PREFIX,
    defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
  });
  queue.on("error", () => {
    // The connection logs its own outages.
  });
  return queue;
}

/**
 * One job that waits is enough: who takes it looks at the line after that, so it sees all that was put there before. Call it after
 * putting something there.
 */
async function wakeOne(queue: Queue): Promise<void> {
  if ((await queue.getWaitingCount()) === 0) await queue.add("wake", {});
}

/** How a job ended for the queue: `done` needs nothing more, `give-back` lets the next worker, or the next start, go on. */
export type JobOutcome = "done" | "give-back";

export interface BuildWorker extends AsyncDisposable {
  /** Takes no more jobs; those at work go on. */
  stopTaking(): void;
  /** Numbers of the builds at work here. */
  readonly active: ReadonlySet<BuildNumber>;
}

export interface BuildWorkerOptions {
  /** How many builds at a time. */
  readonly concurrency: number;
  /** What projects keep to; those that are not in it have no limit. */
  readonly limits: Limits;
  readonly log: Logger;
}

/**
 * Takes jobs and runs the builds that the line gives for them.
 * @param run is called with a signal that aborts when this worker lost the job to another (it was taken for dead).
 * Disposing waits for what is at work: stop that first.
 */
export function createBuildWorker(
  connection: Redis,
  { concurrency, limits, log }: BuildWorkerOptions,
  run: (number: BuildNumber, lost: AbortSignal) => Promise<JobOutcome>,
): BuildWorker {
  const active = new Set<BuildNumber>();
  const lost = new Map<string, AbortController>();
  const queue = openQueue(connection);
  const line = createLine(connection);

  /** @returns whether the job is to be given back. Its build stays bound to it then, as it does when the job was lost. */
  async function work(job: string, token: string): Promise<boolean> {
    const taker = { job, token };
    const { number, more } = await line.take(taker, limits);
    if (number === undefined) return false;
    // The build does not wait for that, so those that are taken in order begin in order.
    if (more) wakeOne(queue).catch((error: unknown) => log.warn({ err: error }, "the sweep wakes the next worker"));
    const controller = new AbortController();
    lost.set(job, controller);
    active.add(number);
    let outcome: JobOutcome = "done";
    try {
      outcome = await run(number, controller.signal);
    } catch (error) {
      log.error({ err: error, build: number }, "a build's job failed; the sweep retries it");
    } finally {
      active.delete(number);
      lost.delete(job);
    }
    if (outcome === "give-back") return true;
    if (!controller.signal.aborted && (await line.release(number, taker))) await wakeOne(queue);
    return false;
  }

  const worker = new Worker(
    QUEUE_NAME,
    async (job, token = "") => {
      if (!(await work(job.id ?? "", token))) return;
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
    log.error({ err: error, job: job?.id }, "the line could not be asked; the sweep wakes another worker"),
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
      await Promise.race([queue.close(), sleep(1_000, undefined, { ref: false })]);
    },
  };
}
