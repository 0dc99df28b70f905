/**
 * (h) The pages that are looked at most, of the running docker-ci, with 1,000 and with 100,000 builds in its records: how long
 * one takes, and how many waterfalls a second it serves. Over loopback, from this process.
 */
import { Agent, get } from "node:http";
import { join } from "node:path";
import { Redis } from "ioredis";
import { Build } from "../src/builds/build.ts";
import { FILLED } from "../src/builds/fill-history.ts";
import { socketPathFor } from "../src/queue/embedded-redis.ts";
import type { Site } from "../test/support/docker-ci.ts";
import { waitFor } from "../test/support/wait-for.ts";
import { mark, printTable, quantile } from "./numbers.ts";
import { pastBuild } from "./past-builds.ts";
import { type Benchmark, openSite } from "./scene.ts";

const FEW = 1_000;
const MANY = 100_000;
const BATCH = 500;
const PROJECTS = ["docker", "docker-registry", "nightly", "hello", "website"];

const WARM_UP = 60;
const ROUNDS = 3;
const SAMPLES = 300;
const TARGET_MS = 25;
const TARGET_RATIO = 1.5;
const CONNECTIONS = 16;
const RUSH_MS = 4_000;
const TARGET_PER_SECOND = 300;

const PATHS = [
  "/",
  "/waterfall",
  "/projects/docker",
  "/api/builds",
  "/waterfall?project=docker&branch=main&person=bob&failures=only",
];
/** `N` is a number somewhere in the past, another one each time: a thousand builds are remembered, a hundred thousand are not. */
const ANYWHERE = "/waterfall?person=eve&before=N";

/** The 99th of a hundred, and the middle one, in milliseconds. */
interface Times {
  readonly p50: number;
  readonly p99: number;
}

export const pages: Benchmark = { title: `pages with ${FEW} and with ${MANY} builds in the records`, run };

async function run(signal: AbortSignal): Promise<boolean> {
  const projects = PROJECTS.map((name) => `  ${name}: { repo: /nowhere/${name} }`).join("\n");
  await using site = await openSite(`projects:\n${projects}`);
  const few = await withBuilds(site, 0, FEW, signal);
  const many = await withBuilds(site, FEW, MANY, signal);

  const rows = PATHS.map((path, at) => compared(path, few.times[at], many.times[at]));
  rows.push(compared(ANYWHERE, few.anywhere, many.anywhere, Number.POSITIVE_INFINITY));
  printTable([["", "1,000: p50", "p99", "100,000: p50", "p99", "ratio", ""], ...rows.map(({ cells }) => cells)]);
  const isQuick = rows.every(({ reached }) => reached);
  console.log(
    `  ${mark(isQuick)} to reach: p99 under ${TARGET_MS} ms, and with 100,000 builds at most ${TARGET_RATIO} × that with 1,000 (anywhere in the past: under ${TARGET_MS} ms)`,
  );
  const isMuch = many.perSecond >= TARGET_PER_SECOND;
  console.log(
    `  ${mark(isMuch)} ${many.perSecond.toFixed(0)} waterfalls a second with 100,000 builds, ${few.perSecond.toFixed(0)} with 1,000, over ${CONNECTIONS} connections (to reach: ${TARGET_PER_SECOND})`,
  );
  return isQuick && isMuch;
}

function compared(path: string, few: Times | undefined, many: Times | undefined, mostRatio = TARGET_RATIO) {
  if (few === undefined || many === undefined) return { reached: true, cells: [path, "is not there"] };
  const ratio = many.p99 / few.p99;
  const reached = many.p99 < TARGET_MS && ratio <= mostRatio;
  const shown = [few.p50, few.p99, many.p50, many.p99].map((ms) => `${ms.toFixed(1)} ms`);
  return { reached, cells: [path, ...shown, `${ratio.toFixed(2)} ×`, mark(reached)] };
}

/** Records as they were before they could be looked through, a start that sees to that, and then the pages. */
async function withBuilds(site: Site, from: number, to: number, signal: AbortSignal) {
  const before = await site.start();
  await writePast(site, from, to, signal);
  await before.stop();
  const docker = await site.start();
  const filledMs = await filled(site, signal);
  console.log(
    `    ${to} builds, ${to - from} of them from before: found by branch and person after ${(filledMs / 1_000).toFixed(1)} s`,
  );
  const times: (Times | undefined)[] = [];
  for (const path of PATHS) times.push(await timesOf(site, path, to, signal));
  const anywhere = await timesOf(site, ANYWHERE, to, signal);
  const perSecond = await rush(site, signal);
  await docker.stop();
  return { times, anywhere, perSecond };
}

function connect(site: Site): Redis {
  return new Redis({ path: socketPathFor(join(site.folder, "data", "redis")) });
}

async function writePast(site: Site, from: number, to: number, signal: AbortSignal): Promise<void> {
  const redis = connect(site);
  try {
    for (let first = from + 1; first <= to; first += BATCH) {
      signal.throwIfAborted();
      const pipeline = redis.pipeline();
      for (let number = first; number < Math.min(first + BATCH, to + 1); number += 1) {
        const build = pastBuild(number, to, PROJECTS);
        const json = JSON.stringify(first === 1 ? Build.parse(build) : build);
        pipeline.hset(`docker-ci:build:${number}`, "state", build.state.kind, "attempt", "1", "json", json);
        pipeline.zadd("docker-ci:builds", number, String(number));
        pipeline.zadd(`docker-ci:builds:project:${build.project}`, number, String(number));
      }
      await pipeline.exec();
    }
    await redis.set("docker-ci:builds:next", String(to));
    await redis.del(FILLED);
  } finally {
    redis.disconnect();
  }
}

async function filled(site: Site, signal: AbortSignal): Promise<number> {
  const redis = connect(site);
  const started = performance.now();
  try {
    await waitFor("the history to be filled", async () => signal.aborted || (await redis.get(FILLED)) === "0", {
      timeoutMs: 180_000,
    });
    signal.throwIfAborted();
    return performance.now() - started;
  } finally {
    redis.disconnect();
  }
}

/** One after the other; the quickest of the rounds, since one that something else fell into says nothing. */
async function timesOf(site: Site, path: string, newest: number, signal: AbortSignal): Promise<Times | undefined> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const rounds: Times[] = [];
  try {
    for (let round = 0; round <= ROUNDS; round += 1) {
      const samples: number[] = [];
      for (let turn = 0; turn < (round === 0 ? WARM_UP : SAMPLES); turn += 1) {
        signal.throwIfAborted();
        const asked = path.replace("N", String(Math.ceil(newest * (0.1 + 0.9 * ((turn * 0.618 + round * 0.37) % 1)))));
        const started = performance.now();
        const status = await fetchPage(site, asked, agent);
        samples.push(performance.now() - started);
        if (status === 404) return undefined;
        if (status !== 200) throw new Error(`${asked} answers ${status}`);
      }
      if (round > 0) rounds.push({ p50: quantile(samples, 0.5), p99: quantile(samples, 0.99) });
    }
  } finally {
    agent.destroy();
  }
  return rounds.toSorted((a, b) => a.p99 - b.p99)[0];
}

async function rush(site: Site, signal: AbortSignal): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const started = performance.now();
  let served = 0;
  const visitor = async (): Promise<void> => {
    while (performance.now() - started < RUSH_MS) {
      signal.throwIfAborted();
      if ((await fetchPage(site, "/waterfall", agent)) === 200) served += 1;
    }
  };
  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, visitor));
  } finally {
    agent.destroy();
  }
  return served / ((performance.now() - started) / 1_000);
}

/** Reads all of it. @returns its status. */
function fetchPage(site: Site, path: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = get({ host: "127.0.0.1", port: site.port, path, agent }, (answer) => {
      answer.resume();
      answer.once("error", reject);
      answer.once("end", () => resolve(answer.statusCode ?? 0));
    });
    request.once("error", reject);
  });
}
