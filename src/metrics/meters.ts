/** What is counted and timed while the process runs. It starts from nothing at every start, as Prometheus expects of a process. */
import { Counter, Histogram, Registry } from "prom-client";
import type { Config } from "../config.ts";

/** Builds of projects that are not configured any more share one label, so that old records make no new series. */
const REMOVED = "(removed)";

const KIB = 1024;

export type Meters = ReturnType<typeof createMeters>;

export function createMeters() {
  const registry = new Registry();
  const registers = [registry];
  return {
    registry,
    ended: new Counter({
      name: "docker_ci_builds_ended_total",
      help: "Builds that ended since this process started, by project and result.",
      labelNames: ["project", "result"],
      registers,
    }),
    queueWaitS: new Histogram({
      name: "docker_ci_build_queue_wait_seconds",
      help: "How long builds waited from the request until a worker began them; since this process started.",
      // From a free worker, which begins at once, to a night behind others.
      buckets: [0.1, 0.5, 1, 5, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 14_400],
      registers,
    }),
    buildS: new Histogram({
      name: "docker_ci_build_duration_seconds",
      help: "How long builds took from their begin to their end, by project and result; since this process started.",
      labelNames: ["project", "result"],
      // The default limit of a build is 30 minutes.
      buckets: [1, 5, 15, 30, 60, 120, 180, 300, 600, 900, 1_800, 3_600, 7_200],
      registers,
    }),
    logBytes: new Histogram({
      name: "docker_ci_build_log_bytes",
      help: "Bytes of log that builds wrote, of those whose log is kept on this machine; since this process started.",
      // The default limit of a log is 1 GiB.
      buckets: [1, 10, 100, KIB, 10 * KIB, 100 * KIB, KIB * KIB].map((kib) => kib * KIB),
      registers,
    }),
    roundTripS: new Histogram({
      name: "docker_ci_chat_round_trip_seconds",
      help: "From handing a message to a network to the network's proof that it took it; since this process started.",
      labelNames: ["network"],
      // A network that makes lines wait takes half a minute for a page of them.
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
    chatFailures: new Counter({
      name: "docker_ci_chat_send_failures_total",
      help: "Messages that a network did not take at a try; since this process started.",
      labelNames: ["network"],
      registers,
    }),
  };
}

export function projectLabel(projects: Config["projects"], project: string): string {
  for (const name of projects.keys()) if (name === project) return name;
  return REMOVED;
}
