/** `/metrics`: what Prometheus gets, with real records, and what it counts while builds run. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { keptLog } from "../../src/builds/log-files.ts";
import type { Chat } from "../../src/chat/chat.ts";
import { say } from "../../src/chat/reply.ts";
import { followBuilds } from "../../src/metrics/follow-builds.ts";
import { keptLogBytes } from "../../src/metrics/log-bytes.ts";
import { createMeters } from "../../src/metrics/meters.ts";
import { createMetrics } from "../../src/metrics/metrics.ts";
import type { PresentSources } from "../../src/metrics/present.ts";
import { timedChat } from "../../src/metrics/timed-chat.ts";
import { GitRef, ProjectName } from "../../src/names.ts";
import { readOutbox } from "../../src/queue/outbox-rooms.ts";
import { createWeb } from "../../src/web/web.tsx";
import { FakeChat } from "../support/fake-chat.ts";
import { type Family, parseMetrics } from "../support/prometheus.ts";
import { ago, clock, openRecords, type Records, revisionOf } from "../support/records.ts";
import { waitFor } from "../support/wait-for.ts";
import { webDeps } from "../support/web-deps.ts";

const PASSED = { kind: "passed", startedAt: ago(72), finishedAt: ago(0) } as const;
const FAILED = { kind: "failed", startedAt: ago(72), finishedAt: ago(0), reason: "step tests, exit 1" } as const;
const WORKER = {
  name: "big-1",
  engine: "Docker",
  slots: 3,
  active: [1, 2],
  seenAt: ago(1),
  version: "1.0.0",
  labels: [],
  draining: false,
};

interface Process extends AsyncDisposable {
  readonly chat: Chat;
  text(): Promise<string>;
  scrape(): Promise<ReadonlyMap<string, Family>>;
  /** `value("docker_ci_builds", { state: "queued" })` */
  value(name: string, labels?: Readonly<Record<string, string>>): Promise<number | undefined>;
}

/** What one start of docker-ci measures; another one on the same records begins anew. */
async function startMeasuring(
  records: Records,
  folder = records.dataDir,
  fake = new FakeChat("libera"),
  changes: Partial<PresentSources> = {},
): Promise<Process> {
  const { config, builds, log, redis, store } = records;
  const meters = createMeters();
  const chat = timedChat(fake, meters);
  const chats = new Map([[chat.network, chat]]);
  const logBytes = (number: number) => keptLogBytes(folder, number);
  const subscriber = redis.open();
  const following = await followBuilds(
    { config, builds, meters, eventChannel: store.eventChannel, log, logBytes },
    subscriber,
  );
  const metrics = createMetrics(meters, {
    config,
    builds,
    clock,
    log,
    version: "1.0.0",
    chats,
    workers: async () => [WORKER],
    outbox: () => readOutbox(redis.commands, chats),
    ...changes,
  });
  const web = createWeb(webDeps(records, { metrics }));
  const text = async (): Promise<string> => {
    const response = await web.request("/metrics");
    expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    return response.text();
  };
  const scrape = async () => parseMetrics(await text());
  return {
    chat,
    text,
    scrape,
    async value(name, labels = {}) {
      const family = [...(await scrape()).values()].find((one) => one.samples.some((sample) => sample.name === name));
      return family?.samples.find(
        (sample) => sample.name === name && JSON.stringify(sample.labels) === JSON.stringify(labels),
      )?.value;
    },
    async [Symbol.asyncDispose]() {
      await following[Symbol.asyncDispose]();
      subscriber.disconnect();
    },
  };
}

describe("/metrics", () => {
  test("is what Prometheus reads, with a help for every series", async () => {
    await using records = await openRecords();
    await using measuring = await startMeasuring(records, undefined, undefined, { engineUp: async () => false });
    await records.end(await records.begin(await records.create()), PASSED);
    const families = await waitFor("a build", async () => {
      const read = await measuring.scrape();
      return read.get("docker_ci_builds_ended_total")?.samples.length === 1 && read;
    });
    expect(
      [...families.values()]
        .filter(({ name, type }) => type === "histogram" && name.startsWith("docker_ci_"))
        .map(({ name }) => name),
    ).toEqual([
      "docker_ci_build_queue_wait_seconds",
      "docker_ci_build_duration_seconds",
      "docker_ci_build_log_bytes",
      "docker_ci_chat_round_trip_seconds",
    ]);
    for (const { name, help } of families.values()) expect(help, name).not.toBe("");
    expect(await measuring.value("docker_ci_info", { version: "1.0.0" })).toBe(1);
    expect(await measuring.value("docker_ci_engine_up")).toBe(0);
    expect(families.has("process_resident_memory_bytes")).toBe(true);
  });

  test("times builds from the request to the begin, and from there to the end, and counts their logs", async () => {
    const folder = await mkdtemp(join(tmpdir(), "docker-ci-logs-"));
    try {
      await using records = await openRecords();
      await using measuring = await startMeasuring(records, folder);
      // Asked for ten minutes ago, begun nine minutes later.
      const build = await records.begin(await records.create("hello"), 60);
      await writeFile(keptLog(folder, build.number), gzipSync("x".repeat(20_000)));
      // Every step is an event of its own, and none of them is another begin.
      const step = { name: "tests", index: 1, count: 2 };
      await records.redis.commands.publish(
        records.store.eventChannel,
        JSON.stringify({ build: { ...build, state: { ...build.state, step } } }),
      );
      await records.redis.commands.publish(records.store.eventChannel, "not a build");
      await records.end(build, FAILED);
      const labels = { project: "hello", result: "failed" };
      await waitFor("the log", async () => (await measuring.value("docker_ci_build_log_bytes_count")) === 1);
      expect(await measuring.value("docker_ci_builds_ended_total", labels)).toBe(1);
      expect(await measuring.value("docker_ci_build_duration_seconds_sum", labels)).toBe(72);
      expect(await measuring.value("docker_ci_build_queue_wait_seconds_count")).toBe(1);
      expect(await measuring.value("docker_ci_build_queue_wait_seconds_sum")).toBe(540);
      expect(await measuring.value("docker_ci_build_log_bytes_sum")).toBe(20_000);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test("measures what ended while it could not hear, and nothing twice", async () => {
    await using records = await openRecords();
    const before = await records.end(await records.begin(await records.create("hello")), PASSED);
    await using measuring = await startMeasuring(records);
    const commands = records.redis.commands;
    // The connection that hears is cut, and what happens before it is back is not heard.
    const build = await records.begin(await records.create("hello"));
    await commands.call("CLIENT", "KILL", "TYPE", "pubsub");
    await records.end(build, PASSED);
    const labels = { project: "hello", result: "passed" };
    await waitFor("the build", async () => (await measuring.value("docker_ci_builds_ended_total", labels)) === 1);
    // What is told again counts once, and what ended before the start not at all.
    await commands.publish(
      records.store.eventChannel,
      JSON.stringify({ build: await records.builds.get(build.number) }),
    );
    await commands.publish(records.store.eventChannel, JSON.stringify({ build: before }));
    const other = await records.end(await records.begin(await records.create("docker")), PASSED);
    await waitFor(
      "the other",
      async () => (await measuring.value("docker_ci_builds_ended_total", { ...labels, project: other.project })) === 1,
    );
    expect(await measuring.value("docker_ci_builds_ended_total", labels)).toBe(1);
  });

  test("says after a restart what is so now, and counts from nothing", async () => {
    await using records = await openRecords();
    await using first = await startMeasuring(records);
    await records.store.transition(await records.begin(await records.create("hello")), FAILED, {
      results: {
        coverage: { totals: { unit: "lines", covered: 619, total: 1_000 }, change: { kind: "missing" } },
      },
    });
    await records.begin(await records.create());
    await records.create();
    await waitFor(
      "a build",
      async () => (await first.scrape()).get("docker_ci_builds_ended_total")?.samples.length === 1,
    );
    await using second = await startMeasuring(records);
    expect((await second.scrape()).get("docker_ci_builds_ended_total")?.samples).toEqual([]);
    expect(await second.value("docker_ci_builds", { state: "running" })).toBe(1);
    expect(await second.value("docker_ci_builds", { state: "queued" })).toBe(1);
    expect(await second.value("docker_ci_queue_oldest_seconds")).toBe(600);
    expect(await second.value("docker_ci_branch_passing", { project: "hello" })).toBe(0);
    expect(await second.value("docker_ci_branch_passing", { project: "docker" })).toBeUndefined();
    expect(await second.value("docker_ci_branch_coverage_ratio", { project: "hello" })).toBe(0.619);
    expect(await second.value("docker_ci_workers")).toBe(1);
    expect(await second.value("docker_ci_worker_slots")).toBe(3);
    expect(await second.value("docker_ci_worker_slots_busy")).toBe(2);
  });

  test("tells how long a network takes to prove a message, and which it did not take", async () => {
    await using records = await openRecords();
    const fake = new FakeChat("libera");
    await using measuring = await startMeasuring(records, undefined, fake);
    const message = {
      room: fake.room("#dev"),
      reply: say("info", ["hello"]),
      to: undefined,
      priority: "notice",
    } as const;
    const labels = { network: "libera" };
    await measuring.chat.send(message);
    fake.leave();
    await expect(measuring.chat.send(message)).rejects.toThrow("libera is away");
    expect(await measuring.value("docker_ci_chat_round_trip_seconds_count", labels)).toBe(1);
    expect(await measuring.value("docker_ci_chat_send_failures_total", labels)).toBe(1);
    expect(await measuring.value("docker_ci_chat_connected", labels)).toBe(0);
    fake.comeBack();
    expect(await measuring.value("docker_ci_chat_connected", labels)).toBe(1);
    expect(fake.lines()).toEqual(["hello"]);
  });

  test("shows what waits for each room, until nothing does", async () => {
    await using records = await openRecords();
    await using measuring = await startMeasuring(records);
    for (let count = 0; count < 3; count += 1) {
      await records.end(await records.begin(await records.create()), PASSED);
    }
    const labels = { network: "fake", room: "#dev" };
    expect(await measuring.value("docker_ci_outbox_waiting", labels)).toBe(3);
    await records.redis.commands.del("docker-ci:outbox:room:fake/#dev");
    expect((await measuring.scrape()).get("docker_ci_outbox_waiting")?.samples).toEqual([]);
  });

  test("has a bounded number of series, whatever rooms and projects there are", async () => {
    await using records = await openRecords();
    const rooms = Array.from({ length: 200 }, (_, index) => ({
      network: "libera",
      room: `dm-${index}`,
      waiting: 2,
      stuck: false,
      tries: 0,
    }));
    await using measuring = await startMeasuring(records, undefined, undefined, {
      outbox: async () => ({ rooms, dropped: [] }),
    });
    for (const name of ["gone-1", "gone-2", "gone-3"]) {
      const project = ProjectName.parse(name);
      await records.end(await records.begin(await records.create(name, { project })), PASSED);
    }
    const families = await waitFor("three builds", async () => {
      const read = await measuring.scrape();
      return read.get("docker_ci_builds_ended_total")?.samples[0]?.value === 3 && read;
    });
    expect(families.get("docker_ci_builds_ended_total")?.samples.map(({ labels }) => labels)).toEqual([
      { project: "(removed)", result: "passed" },
    ]);
    expect(families.get("docker_ci_outbox_waiting")?.samples.length).toBe(51);
    expect(await measuring.value("docker_ci_outbox_waiting", { network: "other", room: "other" })).toBe(300);
  });

  test("still answers when the records cannot be read, and leaves out what it does not know", async () => {
    await using records = await openRecords();
    await using measuring = await startMeasuring(records, undefined, undefined, {
      workers: () => Promise.reject(new Error("Connection is closed.")),
    });
    await records.create("hello", { ref: GitRef.parse("main"), revision: revisionOf("0") });
    const families = await measuring.scrape();
    expect(await measuring.value("docker_ci_redis_up")).toBe(0);
    expect(families.get("docker_ci_workers")?.samples).toEqual([]);
    expect(families.get("docker_ci_builds")?.samples).toEqual([]);
    expect(families.has("process_resident_memory_bytes")).toBe(true);
  });
});
