/** What is so at this moment, read from the records whenever somebody asks: it says the same after a restart. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { Gauge, type Registry } from "prom-client";
import type { Builds } from "../builds/builds.ts";
import { readStanding } from "../builds/last-result.ts";
import type { Chat } from "../chat/chat.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { OutboxState } from "../queue/outbox-rooms.ts";
import { isRedisAway } from "../queue/redis.ts";
import type { WorkerStatus } from "../queue/worker-status.ts";
import { coveragePercent } from "../results/coverage.ts";

/** Rooms come from whoever talks to the bot; those past this number are one series, `other`. */
const ROOMS_MAX = 50;
/** Prometheus gives up after ten seconds, and would then have nothing at all. */
const PATIENCE_MS = 3_000;

export interface PresentSources {
  readonly config: Pick<Config, "projects">;
  readonly builds: Pick<Builds, "running" | "queued" | "history">;
  readonly clock: Clock;
  readonly version: string;
  readonly chats: ReadonlyMap<string, Pick<Chat, "state">>;
  workers(): Promise<readonly WorkerStatus[]>;
  outbox(): Promise<OutboxState>;
  readonly log: Logger;
  /** Whether the engine of this process answers; missing in one without a worker. */
  engineUp?(): Promise<boolean>;
}

/** Gives the function that brings the gauges up to date. It never rejects: Redis being away is one of the things they tell. */
export function presentGauges(registry: Registry, sources: PresentSources): () => Promise<void> {
  const { config, builds, clock, chats, log, engineUp } = sources;
  const registers = [registry];
  const gauge = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Gauge({ name: `docker_ci_${name}`, help, labelNames, registers });

  gauge("info", "Always 1; the version is its label.", "version").set({ version: sources.version }, 1);
  const redisUp = gauge("redis_up", "Whether the records can be read; without them most other series are missing.");
  const underWay = gauge("builds", "Builds that are running or queued.", "state");
  const oldest = gauge("queue_oldest_seconds", "Age of the oldest build that waits for a worker, 0 when none does.");
  const workers = gauge("workers", "Workers that were heard of in the last seconds.");
  const slots = gauge("worker_slots", "Builds that all workers together can run at a time.");
  const busy = gauge("worker_slots_busy", "Builds that the workers are at.");
  const engine = gauge("engine_up", "Whether the engine of this process answers; missing where it has none.");
  const connected = gauge("chat_connected", "Whether a chat network is connected.", "network");
  const waiting = gauge("outbox_waiting", "Messages that wait to be said, by room.", "network", "room");
  const delayed = gauge("outbox_oldest_seconds", "Age of the oldest message that waits, 0 when none does.");
  const passing = gauge("branch_passing", "Whether the newest build that the tests decided passed.", "project");
  const coverage = gauge("branch_coverage_ratio", "How much the tests ran at the newest build.", "project");
  const single = [oldest, workers, slots, busy, delayed];
  const byLabel = [underWay, waiting, passing, coverage];

  async function read(): Promise<() => void> {
    const projects = [...config.projects.values()];
    const [running, queued, heard, outbox, standings] = await Promise.all([
      builds.running(),
      builds.queued(),
      sources.workers(),
      sources.outbox(),
      Promise.all(
        projects.map(async (project) => ({ ...(await readStanding(builds, project.name, project.branch)), project })),
      ),
    ]);
    const ageS = (at: string | undefined): number =>
      at === undefined ? 0 : Math.max(0, clock.now().getTime() - Date.parse(at)) / 1_000;
    return () => {
      underWay.set({ state: "running" }, running.length);
      underWay.set({ state: "queued" }, queued.length);
      oldest.set(Math.max(0, ...queued.map(({ requestedAt }) => ageS(requestedAt))));
      workers.set(heard.length);
      slots.set(sum(heard.map((worker) => worker.slots)));
      busy.set(sum(heard.map(({ active }) => active.length)));
      delayed.set(Math.max(0, ...outbox.rooms.map(({ oldestAt }) => ageS(oldestAt))));
      for (const [index, room] of outbox.rooms.entries()) {
        // Mail addresses are cut, so two rooms may have one name.
        const labels =
          index < ROOMS_MAX ? { network: room.network, room: room.room } : { network: "other", room: "other" };
        waiting.inc(labels, room.waiting);
      }
      for (const { project, verdict, covered } of standings) {
        const labels = { project: project.name };
        if (verdict !== undefined) passing.set(labels, verdict.state.kind === "passed" ? 1 : 0);
        const totals = covered?.results?.coverage?.totals;
        const percent = totals === undefined ? undefined : coveragePercent(totals);
        if (percent !== undefined) coverage.set(labels, percent / 100);
      }
    };
  }

  /** That Redis is away is what `redis_up` says, and its connections log it. */
  function refused(error: unknown): undefined {
    if (!isRedisAway(error)) log.error({ err: error }, "the metrics lack what the records say");
  }

  return async () => {
    const [set, engineAnswers] = await Promise.all([
      Promise.race([read().catch(refused), sleep(PATIENCE_MS, undefined, { ref: false })]),
      engineUp?.(),
    ]);
    // From here on nothing waits, so that two who ask at a time each get a whole picture.
    // What is not known now is missing, rather than what it was.
    for (const stale of single) stale.remove();
    for (const stale of byLabel) stale.reset();
    redisUp.set(set === undefined ? 0 : 1);
    set?.();
    if (engineAnswers === undefined) engine.remove();
    else engine.set(engineAnswers ? 1 : 0);
    for (const [network, { state }] of chats) connected.set({ network }, state.kind === "connected" ? 1 : 0);
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
