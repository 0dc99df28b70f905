/** (d) From the return of an ircd that was killed to the bot in its channel again; one docker-ci on several networks. */
import { setTimeout as sleep } from "node:timers/promises";
import type { DockerCiProcess } from "../test/support/docker-ci.ts";
import { type Ngircd, startNgircd } from "../test/support/ngircd.ts";
import { waitFor } from "../test/support/wait-for.ts";
import { mark, median, shownMs } from "./numbers.ts";
import { type Benchmark, CHANNEL, onServers, openSite, personIn } from "./scene.ts";

const NETWORKS = 6;
const ROUNDS = 2;
const OUTAGE_MS = 20_000;
/** So that the networks do not come back at one moment, and each is alone on the machine. */
const APART_MS = 1_300;
const TARGET_MS = 2_000;

export const afterAnOutage: Benchmark = {
  title: `back in the channel after an outage of ${OUTAGE_MS / 1_000} s (${NETWORKS * ROUNDS} outages, ngircd's throttle on)`,
  run,
};

async function run(signal: AbortSignal): Promise<boolean> {
  const servers: Ngircd[] = [];
  try {
    for (let index = 0; index < NETWORKS; index += 1) servers.push(await startNgircd({ throttle: true }));
    return await onNetworks(servers, signal);
  } finally {
    for (const server of servers) await server[Symbol.asyncDispose]();
  }
}

async function onNetworks(servers: readonly Ngircd[], signal: AbortSignal): Promise<boolean> {
  await using site = await openSite(onServers(servers));
  const bot = await site.start();
  const all = servers.map((server, index) => ({ server, network: `net${index + 1}` }));
  await waitFor("the bot on every network", () => all.every(({ network }) => joins(bot, network).length > 0), {
    timeoutMs: 30_000,
  });

  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    signal.throwIfAborted();
    const outages = all.map(async ({ server, network }, index) => {
      await sleep(index * APART_MS);
      return outage(server, network, bot);
    });
    times.push(...(await Promise.all(outages)));
  }
  const slowest = Math.max(...times);
  console.log(
    `  ${mark(median(times) <= TARGET_MS)} back after ${shownMs(median(times))}, at the slowest ${shownMs(slowest)} (to reach: under ${shownMs(TARGET_MS)})`,
  );
  return median(times) <= TARGET_MS;
}

/** Kills the server, starts it again, and takes the time until the bot's own log says that it is in. */
async function outage(server: Ngircd, network: string, bot: DockerCiProcess): Promise<number> {
  const before = joins(bot, network).length;
  await server.kill();
  await sleep(OUTAGE_MS);
  await server.start();
  const back = Date.now();
  const joined = await waitFor(`the bot back on ${network}`, () => joins(bot, network)[before], { timeoutMs: 90_000 });
  await using person = await personIn(server, "ada");
  if (!person.lines.some((line) => / 353 .*:.*docker-ci/.test(line)))
    throw new Error(`nobody sees the bot in ${CHANNEL}`);
  return joined - back;
}

/** When the bot joined its channel on a network, in milliseconds since 1970. A person would have to join first, and be slower. */
function joins(bot: DockerCiProcess, network: string): number[] {
  return bot
    .stdout()
    .split("\n")
    .filter((line) => line.includes(`"network":"${network}"`) && line.includes('"msg":"joined"'))
    .map((line) => Date.parse(JSON.parse(line).time));
}
