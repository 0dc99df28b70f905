/** (b) `!status` and its answer, beside two bare sockets that echo to each other over the same ngircd, in turn. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Person } from "../test/support/irc-client.ts";
import { startNgircd } from "../test/support/ngircd.ts";
import { mark, quantile, shownMs } from "./numbers.ts";
import { type Benchmark, CHANNEL, onServers, openSite, personIn, startAndSettle } from "./scene.ts";

const SAMPLES = 400;
const WARM_UP = 40;
/** Two lines are said in each turn, and a hundred a second is the most that `pace` allows. */
const PAUSE_MS = 12;
const TARGET_MS = 2;
const ECHO = "#echo";

export const statusRoundTrip: Benchmark = { title: `!status and its answer on IRC (${SAMPLES} times)`, run };

async function run(signal: AbortSignal): Promise<boolean> {
  await using ircd = await startNgircd();
  await using ada = await personIn(ircd, "ada");
  await using echo = await personIn(ircd, "echo", ECHO);
  await ada.join(ECHO);
  await using site = await openSite(onServers([ircd]));
  await startAndSettle(site, ada);

  // What ends this early is told by the one who waits for the echo.
  void keepEchoing(echo).catch(() => undefined);
  const bare: number[] = [];
  const status: number[] = [];
  for (let turn = 0; turn < WARM_UP + SAMPLES; turn += 1) {
    signal.throwIfAborted();
    const echoed = performance.now();
    ada.say(ECHO, `echo ${turn}`);
    await ada.hear(new RegExp(`:echo!\\S+ PRIVMSG ${ECHO} :ada: echo ${turn}$`));
    const asked = performance.now();
    ada.say(CHANNEL, "!status");
    await ada.hear(/:docker-ci!\S+ PRIVMSG \S+ :ada: /);
    const answered = performance.now();
    if (turn >= WARM_UP) {
      bare.push(asked - echoed);
      status.push(answered - asked);
    }
    await sleep(PAUSE_MS);
  }

  const above = quantile(status, 0.5) - quantile(bare, 0.5);
  const shown = (samples: readonly number[]) =>
    `p50 ${quantile(samples, 0.5).toFixed(2)} ms, p99 ${quantile(samples, 0.99).toFixed(2)} ms`;
  console.log(
    `  ${mark(above <= TARGET_MS)} !status: ${shown(status)}; a bare echo: ${shown(bare)}. ${above.toFixed(2)} ms above it at p50, ${(quantile(status, 0.5) / quantile(bare, 0.5)).toFixed(1)} × (to reach: at most ${shownMs(TARGET_MS)} above)`,
  );
  return above <= TARGET_MS;
}

/** Answers whatever is said in its channel, until its connection ends. */
async function keepEchoing(echo: Person): Promise<never> {
  for (;;) {
    const line = await echo.hear(/ PRIVMSG #echo :echo/, 600_000);
    echo.say(ECHO, `ada: ${line.slice(line.indexOf(" :") + 2)}`);
  }
}
