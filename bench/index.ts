/**
 * `npm run bench`: how docker-ci compares with the bare tools, measured in turn in one run. `npm run bench -- a c` runs only
 * those. Everything happens on this machine and is removed at the end; status 1 when a target was missed.
 */
import { loadavg } from "node:os";
import { afterAnOutage } from "./after-an-outage.ts";
import { backup } from "./backup.ts";
import { buildHello } from "./build-hello.ts";
import { followers } from "./followers.ts";
import { junit } from "./junit.ts";
import { lcov } from "./lcov.ts";
import { pages } from "./pages.ts";
import { queue } from "./queue.ts";
import type { Benchmark } from "./scene.ts";
import { slackEvents } from "./slack-events.ts";
import { startAndRest } from "./start-and-rest.ts";
import { statusRoundTrip } from "./status-round-trip.ts";
import { webhooks } from "./webhooks.ts";

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  a: buildHello,
  b: statusRoundTrip,
  c: startAndRest,
  d: afterAnOutage,
  e: slackEvents,
  f: junit,
  g: lcov,
  h: pages,
  i: followers,
  j: webhooks,
  k: backup,
  l: queue,
};
/** The whole; what is at work then ends with its round. */
const DEADLINE_MS = 12 * 60_000;

const asked = process.argv.slice(2);
const unknown = asked.find((name) => BENCHMARKS[name] === undefined);
if (unknown !== undefined) {
  console.error(`There is no benchmark "${unknown}"; there are ${Object.keys(BENCHMARKS).join(", ")}.`);
  process.exit(64);
}

const interrupted = new AbortController();
process.once("SIGINT", () => interrupted.abort(new Error("interrupted")));
process.once("SIGTERM", () => interrupted.abort(new Error("interrupted")));
const signal = AbortSignal.any([interrupted.signal, AbortSignal.timeout(DEADLINE_MS)]);

const load = loadavg()[0] ?? 0;
if (load > 1) console.log(`The machine is busy (load ${load.toFixed(1)}): measure again when it is quiet.`);
let reached = true;
for (const [name, benchmark] of Object.entries(BENCHMARKS)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  console.log(`\n(${name}) ${benchmark.title}`);
  try {
    reached = (await benchmark.run(signal)) && reached;
  } catch (error) {
    reached = false;
    console.log(`  ✘ not measured: ${error instanceof Error ? error.message : String(error)}`);
  }
}
process.exitCode = reached ? 0 : 1;
