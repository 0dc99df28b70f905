/** (c) From the start of the process until a person sees it join the channel, and the memory it takes at rest. */
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { PACKAGE_FOLDER } from "../src/package.ts";
import type { Site } from "../test/support/docker-ci.ts";
import type { Person } from "../test/support/irc-client.ts";
import { startNgircd } from "../test/support/ngircd.ts";
import { mark, median, shownMs } from "./numbers.ts";
import { type Benchmark, onServers, openSite, personIn } from "./scene.ts";

const STARTS = 7;
const TARGET_MS = 2_000;
const TARGET_MB = 140;
const AT_REST_AFTER_MS = 10_000;
/** What main.ts loads for `start`. */
const MODULES = [
  "src/command-line/start-bot.js",
  ...["irc", "console", "docker", "testbuilder"].map((name) => `adapters/${name}/index.js`),
  "commands/index.js",
  "jobs/build.js",
];

export const startAndRest: Benchmark = {
  title: `from the start to the channel (${STARTS} starts), and memory at rest`,
  run,
};

async function run(signal: AbortSignal): Promise<boolean> {
  let reached = true;
  for (const throttle of [true, false]) {
    await using ircd = await startNgircd({ throttle });
    await using ada = await personIn(ircd, "ada");
    await using site = await openSite(onServers([ircd]));
    const [first = Number.NaN, ...others] = await startOften(site, ada, signal);
    const ms = median(others);
    reached = reached && ms <= TARGET_MS;
    console.log(
      `  ${mark(ms <= TARGET_MS)} in the channel after ${shownMs(ms)}, ngircd's throttle ${throttle ? "on, as it comes" : "off"}; the very first start ${shownMs(first)} (to reach: at most ${shownMs(TARGET_MS)})`,
    );
    if (throttle) continue;
    const [bare, loaded] = await loadingMs();
    console.log(
      `      of it a bare node takes ${shownMs(bare)} to start and end, loading the modules ${shownMs(loaded - bare)}`,
    );
    reached = (await restingMemory(site, ada)) && reached;
  }
  return reached;
}

async function startOften(site: Site, person: Person, signal: AbortSignal): Promise<number[]> {
  const times: number[] = [];
  for (let start = 0; start <= STARTS; start += 1) {
    signal.throwIfAborted();
    const began = performance.now();
    const bot = site.run(["start"]);
    await person.hear(/:docker-ci!\S+ JOIN/, 30_000);
    times.push(performance.now() - began);
    await sleep(1_000);
    await bot.stop();
  }
  return times;
}

/** Medians of a node that does nothing, and of one that only loads what docker-ci is made of. */
async function loadingMs(): Promise<readonly [number, number]> {
  const urls = MODULES.map((name) => join(PACKAGE_FOLDER, "dist", name));
  const load = `await Promise.all(${JSON.stringify(urls)}.map((url) => import(url))); process.exit()`;
  const times: { bare: number[]; loaded: number[] } = { bare: [], loaded: [] };
  for (let turn = 0; turn < STARTS; turn += 1) {
    for (const [name, script] of [["bare", "process.exit()"] as const, ["loaded", load] as const]) {
      const began = performance.now();
      await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
      times[name].push(performance.now() - began);
    }
  }
  return [median(times.bare), median(times.loaded)];
}

async function restingMemory(site: Site, person: Person): Promise<boolean> {
  const bot = site.run(["start"]);
  await person.hear(/:docker-ci!\S+ JOIN/, 30_000);
  await sleep(AT_REST_AFTER_MS);
  const node = await residentMb(bot.pid);
  const children = await Promise.all((await childrenOf(bot.pid)).map(residentMb));
  const redis = children.reduce((sum, mb) => sum + mb, 0);
  const whole = node + redis;
  await bot.stop();
  console.log(
    `  ${mark(whole <= TARGET_MB)} ${whole.toFixed(0)} MB resident after ${shownMs(AT_REST_AFTER_MS)}: node ${node.toFixed(0)}, redis-server ${redis.toFixed(0)} (to reach: at most ${TARGET_MB} MB)`,
  );
  return whole <= TARGET_MB;
}

/** VmRSS in MB (10⁶ bytes). */
async function residentMb(pid: number): Promise<number> {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1];
  return (Number(kib) * 1_024) / 1e6;
}

async function childrenOf(pid: number): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const parents = await Promise.all(
    // A process may end while it is looked at.
    pids.map(async (each) => /\) \S (\d+)/.exec(await readFile(`/proc/${each}/stat`, "utf8").catch(() => ""))?.[1]),
  );
  return pids.filter((_, index) => Number(parents[index]) === pid).map(Number);
}
