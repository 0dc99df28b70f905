/**
 * (l) Builds that do nothing, through the queue: how many a second with 1 to 16 workers, against BullMQ alone doing as many jobs on
 * the same Redis; how long after it was asked for one begins where workers are idle; and what it costs that Redis.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Queue, Worker } from "bullmq";
import type { Redis } from "ioredis";
import { BuildNumber, ProjectName } from "../src/names.ts";
import { createBuildQueue, createBuildWorker } from "../src/queue/build-queue.ts";
import { createLine } from "../src/queue/line.ts";
import { announceProtocol, PROTOCOL } from "../src/queue/protocol.ts";
import { openRecords, type Records } from "../test/support/records.ts";
import { waitFor } from "../test/support/wait-for.ts";
import { mark, median, printTable, quantile, shownMs } from "./numbers.ts";
import type { Benchmark } from "./scene.ts";

const SIZES = [1, 2, 4, 8, 16];
const JOBS = 2_000;
const ROUNDS = 3;
const TARGET_RATIO = 0.7;
const ASKED = 300;
const EVERY_MS = 20;
const TARGET_MS = 100;
const PATIENCE_MS = 60_000;

export const queue: Benchmark = {
  title: `${JOBS} builds that do nothing, through the queue, with 1 to 16 workers`,
  run,
};

interface Cost {
  readonly perSecond: number;
  /** Commands of clients and scripts, each. */
  readonly commands: number;
  readonly redisMs: number;
}

async function run(signal: AbortSignal): Promise<boolean> {
  await using records = await openRecords();
  await announceProtocol(records.redis.commands);
  const rows = [["workers", "BullMQ/s", "builds/s", "ratio", "commands a build", "Redis a build", "Redis carries"]];
  let reached = true;
  for (const size of SIZES) {
    const plain: Cost[] = [];
    const ours: Cost[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      signal.throwIfAborted();
      plain.push(await plainJobs(records, size));
      ours.push(await builds(records, size));
    }
    const ratio = middle(ours, "perSecond") / middle(plain, "perSecond");
    reached = reached && ratio >= TARGET_RATIO;
    const redisMs = middle(ours, "redisMs");
    rows.push([
      String(size),
      middle(plain, "perSecond").toFixed(0),
      middle(ours, "perSecond").toFixed(0),
      `${mark(ratio >= TARGET_RATIO)} ${ratio.toFixed(2)}`,
      middle(ours, "commands").toFixed(1),
      `${(redisMs * 1_000).toFixed(0)} µs`,
      `${(1_000 / redisMs).toFixed(0)}/s`,
    ]);
  }
  console.log(`  builds a second, to reach: no less than ${TARGET_RATIO} of BullMQ alone`);
  printTable(rows);
  const waits = await delays(records, signal);
  const p99 = quantile(waits, 0.99);
  console.log(
    `  ${mark(p99 <= TARGET_MS)} begins ${shownMs(p99)} after it was asked for (p99 of ${ASKED}, median ${shownMs(median(waits))}; to reach: at most ${shownMs(TARGET_MS)})`,
  );
  return reached && p99 <= TARGET_MS;
}

const middle = (costs: readonly Cost[], what: keyof Cost): number => median(costs.map((cost) => cost[what]));

/** The same Redis, the same options, and nothing of ours. */
async function plainJobs({ redis }: Records, size: number): Promise<Cost> {
  const options = { connection: redis.open(), prefix: "bench" };
  const jobs = new Queue("plain", { ...options, defaultJobOptions: { removeOnComplete: true } });
  await jobs.addBulk(Array.from({ length: JOBS }, () => ({ name: "nothing", data: {} })));
  let done = 0;
  const open = (): Worker => {
    const count = async (): Promise<void> => {
      done += 1;
    };
    const worker = new Worker("plain", count, { ...options, connection: redis.open(), autorun: false });
    worker.on("error", (error) => console.log(`  a worker of BullMQ's: ${error.message}`));
    return worker;
  };
  const workers = Array.from({ length: size }, open);
  const cost = await measured(redis.commands, async () => {
    for (const worker of workers) void worker.run();
    await waitFor("the jobs", () => done >= JOBS, { timeoutMs: PATIENCE_MS, everyMs: 1 });
  });
  await Promise.all(workers.map((worker) => worker.close()));
  await jobs.obliterate({ force: true });
  await jobs.close();
  return cost;
}

async function builds(records: Records, size: number): Promise<Cost> {
  const { redis, log, config } = records;
  const line = createLine(redis.commands);
  const template = await records.create("hello");
  const numbers = Array.from({ length: JOBS }, (_, index) => BuildNumber.parse(template.number + 10_000 + index));
  await Promise.all(numbers.map((number) => line.add({ ...template, number })));
  let done = 0;
  const workers = Array.from({ length: size }, (_, index) => {
    const taking = () => ({ name: `w${index}`, labels: ["amd64"], protocol: PROTOCOL, knownOnly: true });
    const how = { concurrency: 1, limits: config.projects, log, taking, isHeld: true };
    return createBuildWorker(redis.open(), how, async () => {
      done += 1;
      return "done";
    });
  });
  await using entrance = createBuildQueue(redis.open(), records.store, log);
  const cost = await measured(redis.commands, async () => {
    for (const worker of workers) worker.goOn();
    await entrance.wake();
    await waitFor("the builds", () => done >= JOBS, { timeoutMs: PATIENCE_MS, everyMs: 1 });
  });
  await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()));
  return cost;
}

/** From the request to the beginning, where workers have nothing to do. */
async function delays(records: Records, signal: AbortSignal): Promise<number[]> {
  const { redis, log, config, store } = records;
  const began = new Map<number, number>();
  const workers = Array.from({ length: 8 }, () =>
    createBuildWorker(redis.open(), { concurrency: 2, limits: config.projects, log }, async (number) => {
      began.set(number, performance.now());
      return "done";
    }),
  );
  await using entrance = createBuildQueue(redis.open(), store, log);
  const waits: number[] = [];
  const hello = ProjectName.parse("hello");
  for (let count = 0; count < ASKED; count += 1) {
    signal.throwIfAborted();
    const build = await records.create(hello);
    const asked = performance.now();
    await entrance.add(build);
    const start = await waitFor("it to begin", () => began.get(build.number), { everyMs: 1 });
    waits.push(start - asked);
    await sleep(EVERY_MS);
  }
  await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()));
  return waits;
}

/** What it takes, for each of the jobs. */
async function measured(redis: Redis, work: () => Promise<void>): Promise<Cost> {
  const before = await usage(redis);
  const started = performance.now();
  await work();
  const seconds = (performance.now() - started) / 1_000;
  const after = await usage(redis);
  return {
    perSecond: JOBS / seconds,
    commands: (after.commands - before.commands) / JOBS,
    redisMs: (after.cpuMs - before.cpuMs) / JOBS,
  };
}

async function usage(redis: Redis): Promise<{ commands: number; cpuMs: number }> {
  const text = `${await redis.info("stats")}\n${await redis.info("cpu")}`;
  const value = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, "m").exec(text)?.[1]);
  return {
    commands: value("total_commands_processed"),
    cpuMs: (value("used_cpu_user") + value("used_cpu_sys")) * 1_000,
  };
}
