/** (i) Five hundred people who follow one live log: how late its lines are, and the memory it takes, beside one who follows. */

import { readFile } from "node:fs/promises";
import { type ClientRequest, get } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { commitFiles } from "../test/support/repository.ts";
import { temporaryFolder } from "../test/support/temporary-folder.ts";
import { waitFor } from "../test/support/wait-for.ts";
import { mark, quantile, shownMs } from "./numbers.ts";
import { type Benchmark, openSite } from "./scene.ts";

const FOLLOWERS = 500;
const LINES = 400;
const TARGET_MS = 300;
const TARGET_MB = 100;
/** Lines from before everybody is there: three seconds. */
const SETTLING = 60;

/** Each line says when it was written: the container's clock is the machine's. */
const PIPELINE = `steps:
  - name: talk
    image: docker-ci/base
    run: |
      node -e 'let n = 0; const timer = setInterval(() => { n += 1; console.log("at " + Date.now() + " " + "x".repeat(80)); if (n === ${LINES}) clearInterval(timer); }, 50)'
`;

export const followers: Benchmark = { title: `${FOLLOWERS} people follow one live log`, run };

async function run(signal: AbortSignal): Promise<boolean> {
  const one = await measure(1, signal);
  const many = await measure(FOLLOWERS, signal);
  const late = quantile(many.delaysMs, 0.99);
  const more = many.mostMb - many.beforeMb;
  const isQuick = late < TARGET_MS;
  const isSmall = more < TARGET_MB;
  console.log(
    `  ${mark(isQuick)} a line is seen p50 ${shownMs(quantile(many.delaysMs, 0.5))}, p99 ${shownMs(late)} after it was written (to reach: p99 under ${shownMs(TARGET_MS)}); by one alone p50 ${shownMs(quantile(one.delaysMs, 0.5))}, p99 ${shownMs(quantile(one.delaysMs, 0.99))}`,
  );
  console.log(
    `  ${mark(isSmall)} ${more.toFixed(0)} MB more memory than before they came (to reach: under ${TARGET_MB} MB); for one ${(one.mostMb - one.beforeMb).toFixed(0)} MB`,
  );
  console.log(`      ${many.delaysMs.length.toLocaleString("en-US")} lines were seen, ${many.missed} were not`);
  return isQuick && isSmall && many.missed === 0;
}

interface Measured {
  readonly delaysMs: readonly number[];
  readonly beforeMb: number;
  readonly mostMb: number;
  readonly missed: number;
}

async function measure(count: number, signal: AbortSignal): Promise<Measured> {
  await using repository = await temporaryFolder();
  await commitFiles(repository.path, { ".docker-ci.yml": PIPELINE });
  await using site = await openSite(`projects: { talk: { repo: ${repository.path} } }`);
  const bot = site.run(["start"], "");
  bot.write("!build talk\n");
  // The first build on a machine builds the testbuilder's image.
  const log = async (): Promise<string> => (await fetch(`${site.url}/builds/1/log`)).text();
  await waitFor("the step", async () => (await log()).includes("at 1"), { timeoutMs: 120_000 });
  const beforeMb = await residentMb(bot.pid);
  let mostMb = beforeMb;
  const seen: number[][] = Array.from({ length: count }, () => []);
  const asked: ClientRequest[] = [];
  const ended = seen.map((delays) => {
    const follower = follow(`${site.url}/builds/1/log?after=0`, delays);
    asked.push(follower.request);
    return follower.ended;
  });
  const all = Promise.all(ended);
  let isOver = false;
  void all.then(() => {
    isOver = true;
  });
  while (!isOver) {
    if (signal.aborted) for (const request of asked) request.destroy();
    signal.throwIfAborted();
    mostMb = Math.max(mostMb, await residentMb(bot.pid));
    await sleep(100);
  }
  const delaysMs = seen.flatMap((delays) => delays.slice(SETTLING));
  const missed = seen.reduce((sum, delays) => sum + (LINES - delays.length), 0);
  return { delaysMs, beforeMb, mostMb, missed };
}

/** Reads the events as a browser does, and takes down how old each line is when it comes. */
function follow(url: string, delaysMs: number[]): { request: ClientRequest; ended: Promise<void> } {
  let ended: () => void = () => undefined;
  const promise = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const request = get(url, { headers: { accept: "text/event-stream" }, agent: false }, (response) => {
    let rest = "";
    response.setEncoding("utf8");
    response.on("data", (text: string) => {
      const now = Date.now();
      const events = (rest + text).split("\n\n");
      rest = events.pop() ?? "";
      for (const event of events) {
        for (const [, at] of event.matchAll(/at (\d{13}) x/g)) delaysMs.push(now - Number(at));
        if (event.startsWith("event: end")) request.destroy();
      }
    });
    response.on("close", ended);
  });
  request.on("error", ended);
  return { request, ended: promise };
}

/** VmRSS in MB (10⁶ bytes). */
async function residentMb(pid: number): Promise<number> {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(await readFile(join("/proc", String(pid), "status"), "utf8"))?.[1];
  return (Number(kib) * 1_024) / 1e6;
}
