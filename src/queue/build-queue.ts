/**
 * BullMQ on Redis: it wakes workers. The records decide what a build is, and the line (line.ts) which one is next; a job says only
 * that something may be waiting. Who takes one asks the line, and wakes the next as long as anything waits.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Queue, WaitingError, Worker } from "bullmq";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { z } from "zod";
import { type Build, isFinished } from "../builds/build.ts";
import type { BuildStore } from "../builds/store.ts";
import type { BuildNumber } from "../names.ts";
import { createLine, type Limits, type TakingWorker } from "./line.ts";

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

/** So often a wake is passed on: several times around among the workers of a large team. */
const HOPS_MAX = 64;
/** Whoever passes it on stands in line again by then. Each pause is longer than the one before, up to the next sweep. */
const HOP_MS = { first: 25, growth: 1.15, longest: 500 };
/**
 * How often it is passed on before whoever does stands in line again. BullMQ calls two for every job, one that gets it and one that
 * looks in vain whether there are more, and both go to the end of the line: of an odd number of idle workers every second one would
 * get none for ever.
 */
const PASSED_AT_ONCE = 0.5;

function pauseBefore(hop: number): number {
  return Math.min(HOP_MS.longest, HOP_MS.first * HOP_MS.growth ** hop);
}

/** How often this wake was passed on by workers that had no use for it. */
const Wake = z.object({ hops: z.number().int().default(0) }).catch({ hops: 0 });
type Wake = z.infer<typeof Wake>;

/**
 * One job that waits is enough: who takes it looks at the line after that, so it sees all that was put there before. Call it after
 * putting something there.
 */
async function wakeOne(queue: Queue, wake: Wake = { hops: 0 }): Promise<void> {
  if ((await queue.getWaitingCount()) === 0) await queue.add("wake", wake);
}

/**
 * How a job ended for the queue: `done` needs nothing more, `give-back` lets the next worker, or the next start, go on. A build that
 * is passed on stands in line again, for a worker that fits.
 */
export type JobOutcome = "done" | "give-back" | { readonly passOn: Build };

export interface BuildWorker extends AsyncDisposable {
  /** Takes no more jobs; those at work go on. */
  stopTaking(): void;
  /** Takes none until it is told to go on; those at work go on. */
  hold(): void;
  goOn(): void;
  /** Numbers of the builds at work here. */
  readonly active: ReadonlySet<BuildNumber>;
}

export interface BuildWorkerOptions {
  /** How many builds at a time. */
  readonly concurrency: number;
  /** What projects keep to; those that are not in it have no limit. */
  readonly limits: Limits;
  readonly log: Logger;
  /** What this worker has by now; missing: it takes whatever there is. */
  taking?(): TakingWorker;
  /** Takes nothing before it is told to go on. */
  readonly isHeld?: boolean;
}

/**
 * Takes jobs and runs the builds that the line gives for them.
 * @param run is called with a signal that aborts when this worker lost the job to another (it was taken for dead).
 * Disposing waits for what is at work: stop that first.
 */
export function createBuildWorker(
  connection: Redis,
  { concurrency, limits, log, taking, isHeld = false }: BuildWorkerOptions,
  run: (number: BuildNumber, lost: AbortSignal) => Promise<JobOutcome>,
): BuildWorker {
  const active = new Set<BuildNumber>();
  const lost = new Map<string, AbortController>();
  const queue = openQueue(connection);
  const line = createLine(connection);
  const hops = new Set<NodeJS.Timeout>();
  let closing: Promise<void> | undefined;
  let held = isHeld;
  const isStopping = (): boolean => held || closing !== undefined;

  /** Others may have a use for it: they stand in line for jobs, and who asks again comes last. */
  async function passWake(hop: number): Promise<void> {
    if (hop >= HOPS_MAX) return;
    const pass = (): Promise<void> =>
      wakeOne(queue, { hops: hop + 1 }).catch((error: unknown) =>
        log.warn({ err: error }, "the sweep wakes the next worker"),
      );
    if (Math.random() < PASSED_AT_ONCE) return pass();
    const timer = setTimeout(() => {
      hops.delete(timer);
      void pass();
    }, pauseBefore(hop));
    hops.add(timer);
  }

  /**
   * One build after the other, as long as there are any: what a job costs the queue is paid once for all of them.
   * @returns whether the job is to be given back. Its build stays bound to it then, as it does when the job was lost.
   */
  async function work(job: string, token: string, hop: number): Promise<boolean> {
    const taker = { job, token };
    const controller = new AbortController();
    lost.set(job, controller);
    try {
      let next = await line.take(taker, limits, taking?.());
      if (next.number === undefined && next.elsewhere) await passWake(hop);
      while (next.number !== undefined) {
        const { number, more } = next;
        // The build does not wait for that, so those that are taken in order begin in order.
        if (more) wakeOne(queue).catch((error: unknown) => log.warn({ err: error }, "the sweep wakes the next worker"));
        const outcome = await runOne(number, controller.signal);
        if (outcome === "give-back") return true;
        if (controller.signal.aborted) return false;
        const isOver = outcome === "done";
        if (!isOver || isStopping()) {
          const waits = await line.release(number, taker);
          if (!isOver) await line.add(outcome.passOn);
          if (waits || !isOver) await wakeOne(queue);
          return false;
        }
        next = await line.take(taker, limits, taking?.(), number);
        if (next.number === undefined && next.elsewhere) await passWake(0);
      }
      return false;
    } finally {
      lost.delete(job);
    }
  }

  async function runOne(number: BuildNumber, signal: AbortSignal): Promise<JobOutcome> {
    active.add(number);
    try {
      return await run(number, signal);
    } catch (error) {
      log.error({ err: error, build: number }, "a build's job failed; the sweep retries it");
      return "done";
    } finally {
      active.delete(number);
    }
  }

  const worker = new Worker(
    QUEUE_NAME,
    async (job, token = "") => {
      if (!(await work(job.id ?? "", token, Wake.parse(job.data).hops))) return;
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
      autorun: !isHeld,
    },
  );
  worker.on("error", (error) => log.warn({ err: error }, "the queue reported a fault"));
  worker.on("lockRenewalFailed", (ids) => {
    for (const id of ids) lost.get(id)?.abort(new Error("another worker has taken this build over"));
  });
  worker.on("failed", (job, error) =>
    log.error({ err: error, job: job?.id }, "the line could not be asked; the sweep wakes another worker"),
  );

  const stopTaking = (): void => {
    // Closing takes no more jobs from the first moment and waits for those at work; a pause waits for its own poll first.
    closing ??= worker
      .close()
      .catch((error: unknown) => log.warn({ err: error }, "the worker could not be closed cleanly"));
  };
  return {
    active,
    stopTaking,
    hold() {
      held = true;
      if (closing !== undefined) return;
      worker.pause(true).catch((error: unknown) => log.warn({ err: error }, "the worker could not be held"));
    },
    goOn() {
      held = false;
      if (closing !== undefined) return;
      worker.resume().catch((error: unknown) => log.error({ err: error }, "the worker could not go on"));
    },
    async [Symbol.asyncDispose]() {
      stopTaking();
      for (const timer of hops) clearTimeout(timer);
      // A close waits for ever when Redis is away (bullmq 6), and what it would save the next start's stalled check saves too.
      await Promise.race([closing, sleep(3_000, undefined, { ref: false })]);
      await Promise.race([queue.close(), sleep(1_000, undefined, { ref: false })]);
    },
  };
}
