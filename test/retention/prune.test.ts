/** What has had its time goes, and what something needs stays. */
import { mkdir, readdir, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Build, FinishedBuild } from "../../src/builds/build.ts";
import { keptLog, logsFolder } from "../../src/builds/log-files.ts";
import { leftBehind } from "../../src/builds/pipeline-of-build.ts";
import type { Incident } from "../../src/incidents/incident.ts";
import { BuildNumber, GitRef } from "../../src/names.ts";
import { smokeLogs } from "../../src/releases/publish/smoke-logs.ts";
import { type PruneScene, prune } from "../../src/retention/prune.ts";
import { never } from "../support/docker.ts";
import { pruneScene } from "../support/prune-scene.ts";
import { ago, configOf, NOW, openRecords, type Records, revisionOf } from "../support/records.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const DAY_S = 86_400;

interface Corner extends AsyncDisposable {
  readonly records: Records;
  readonly scene: PruneScene;
  /** A build that ended so many days ago, with a log, an artifact, coverage pages and results. */
  build(days: number, changes?: Partial<Build>, kind?: "passed" | "failed"): Promise<Build>;
  /** What of a build is in the data folder. */
  left(build: Build): Promise<string[]>;
  run(dryRun?: boolean, changes?: Partial<PruneScene>): ReturnType<typeof prune>;
}

async function openCorner(retention: string): Promise<Corner> {
  const data = await temporaryFolder();
  const config = configOf(
    `data: ${data.path}\nretention: ${retention}\nprojects: { hello: { repo: /repositories/hello } }`,
  );
  const records = await openRecords(config);
  const scene = pruneScene(records);
  const paths = (build: Build) => {
    const { results, artifacts, coverage } = leftBehind(config.dataDir, build);
    return { log: keptLog(logsFolder(config), build.number), artifacts, coverage, results };
  };
  return {
    records,
    scene,
    async build(days, changes = {}, kind = "failed") {
      const queued = await records.create("hello", { revision: revisionOf("1"), ...changes });
      const finishedAt = ago(days * DAY_S);
      const state =
        kind === "passed"
          ? ({ kind, startedAt: finishedAt, finishedAt } as const)
          : ({ kind, startedAt: finishedAt, finishedAt, reason: "step tests, exit 1" } as const);
      const build = await records.end(queued, state);
      const { log, ...folders } = paths(build);
      await mkdir(logsFolder(config), { recursive: true });
      await writeFile(log, "a log");
      for (const folder of Object.values(folders)) {
        await mkdir(join(folder, "below"), { recursive: true });
        await writeFile(join(folder, "below", "file"), "0123456789");
      }
      // Its news were made, as they are of every build within a moment.
      await records.redis.commands.lrem("docker-ci:builds:finished", 0, String(build.number));
      return build;
    },
    async left(build) {
      const found = await Promise.all(
        Object.entries(paths(build)).map(async ([kind, path]) => {
          const there = await readdir(path).catch((error: NodeJS.ErrnoException) => error.code === "ENOTDIR");
          return there === false ? [] : [kind];
        }),
      );
      return found.flat();
    },
    run: (dryRun = false, changes = {}) => prune({ ...scene, ...changes }, { dryRun, signal: never }),
    async [Symbol.asyncDispose]() {
      await records[Symbol.asyncDispose]();
      await data[Symbol.asyncDispose]();
    },
  };
}

const incidentAt = (build: Build): Incident => ({
  project: build.project,
  branch: GitRef.parse("main"),
  firstBad: { number: build.number, sha: revisionOf("1").sha },
  since: NOW.toISOString(),
  badBuilds: 1,
  suspects: [],
});

describe("clearing up", () => {
  it("removes each part of a build when its own time is over", async () => {
    await using corner = await openCorner("{ logs: 90d, artifacts: 30d, coverage: 60d }");
    const [fresh, middling, old, oldest] = [
      await corner.build(1),
      await corner.build(40),
      await corner.build(70),
      await corner.build(100),
    ];
    const pruned = await corner.run();
    expect(pruned).toMatchObject({ builds: 0, parts: { log: 1, artifacts: 3, coverage: 2 } });
    expect(await corner.left(fresh)).toEqual(["log", "artifacts", "coverage", "results"]);
    expect(await corner.left(middling)).toEqual(["log", "coverage", "results"]);
    expect(await corner.left(old)).toEqual(["log", "results"]);
    expect(await corner.left(oldest)).toEqual(["results"]);
  });

  it("forgets builds beyond their number, with everything of theirs and their places in the history", async () => {
    await using corner = await openCorner("{ builds: 2 }");
    const builds = [await corner.build(3), await corner.build(2), await corner.build(1)];
    expect(await corner.run()).toMatchObject({ builds: 1 });
    const { store } = corner.records;
    expect(await store.get(BuildNumber.parse(1))).toBeUndefined();
    expect((await store.latest(10)).map(({ number }) => number)).toEqual([3, 2]);
    expect((await store.history.page({ person: "bob", onlyFailures: true, limit: 10 })).builds).toHaveLength(2);
    expect(await corner.left(builds[0] as Build)).toEqual([]);
    expect(await corner.records.redis.commands.exists("docker-ci:build:1")).toBe(0);
    // Its number is never given again.
    expect((await corner.build(0)).number).toBe(4);
  });

  it("keeps the last good build of every branch, however old", async () => {
    await using corner = await openCorner("{ builds: 1, logs: 1d, artifacts: 1d }");
    const older = await corner.build(400, {}, "passed");
    const lastGood = await corner.build(300, {}, "passed");
    const elsewhere = await corner.build(
      290,
      { revision: revisionOf("2", { ref: GitRef.parse("release") }) },
      "passed",
    );
    await corner.build(0);
    expect(await corner.run()).toMatchObject({ builds: 1, kept: 2 });
    expect(await corner.left(older)).toEqual([]);
    for (const build of [lastGood, elsewhere]) {
      expect(await corner.left(build)).toEqual(["log", "artifacts", "coverage", "results"]);
    }
  });

  it("keeps what an open incident points at, and lets it go when that is closed", async () => {
    await using corner = await openCorner("{ builds: 1 }");
    const bad = await corner.build(200);
    await corner.build(0);
    const needs = { incidents: async () => [incidentAt(bad)], releases: async () => [] };
    expect(await corner.run(false, { needs })).toMatchObject({ builds: 0, kept: 1 });
    expect(await corner.run(false, { needs: { ...needs, incidents: async () => [] } })).toMatchObject({ builds: 1 });
  });

  it("never touches what waits or runs, or what ended and nobody has told yet", async () => {
    await using corner = await openCorner("{ builds: 1 }");
    const waits = await corner.records.create("hello");
    const runs = await corner.records.begin(await corner.records.create("hello"));
    const untold = await corner.build(200);
    await corner.records.redis.commands.rpush("docker-ci:builds:finished", String(untold.number));
    await corner.build(0);
    expect(await corner.run()).toMatchObject({ builds: 0 });
    for (const { number } of [waits, runs, untold]) expect(await corner.records.store.get(number)).toBeDefined();
  });

  it("says what would go and removes nothing in a dry run", async () => {
    await using corner = await openCorner("{ builds: 1, artifacts: 1d }");
    const old = await corner.build(50);
    await corner.build(0);
    const would = await corner.run(true);
    expect(would).toMatchObject({ builds: 1, bytes: { log: 5, artifacts: 10, coverage: 10, results: 10 } });
    expect(await corner.left(old)).toHaveLength(4);
    expect(await corner.run()).toEqual(would);
    expect(await corner.run()).toMatchObject({ builds: 0, bytes: { log: 0 } });
  });

  it("removes files that no record speaks of, when they are a day old, and follows no link out of the folder", async () => {
    await using corner = await openCorner("{}");
    const known = await corner.build(0);
    const { dataDir } = corner.scene.config;
    const outside = await temporaryFolder();
    await using _ = outside;
    await writeFile(join(outside.path, "precious"), "kept");
    const artifacts = join(dataDir, "docker-ci", "artifacts");
    // A number that was given, and whose record was removed.
    await corner.records.redis.commands.set("docker-ci:builds:next", "9");
    await corner.build(0);
    await mkdir(join(artifacts, "5"));
    await symlink(outside.path, join(artifacts, "5", "link"));
    await mkdir(join(artifacts, "6"));
    const yesterday = new Date(NOW.getTime() - 2 * DAY_S * 1_000);
    await utimes(join(artifacts, "5"), yesterday, yesterday);
    await utimes(join(artifacts, "6"), NOW, NOW);
    expect(await corner.run()).toMatchObject({ orphans: 1 });
    expect((await readdir(artifacts)).sort()).toEqual(["10", "6", String(known.number)].sort());
    expect(await readdir(outside.path)).toEqual(["precious"]);
  });

  it("removes the marks of what was brought of builds that are gone", async () => {
    await using corner = await openCorner("{}");
    const known = await corner.build(0);
    const brought = join(corner.scene.config.dataDir, "docker-ci", "brought");
    await corner.records.redis.commands.set("docker-ci:builds:next", "9");
    await corner.build(0);
    await mkdir(brought);
    const old = new Date(NOW.getTime() - 2 * DAY_S * 1_000);
    for (const name of [`${known.number}-1-log`, "5-1-log"]) {
      await writeFile(join(brought, name), "x");
      await utimes(join(brought, name), old, old);
    }
    await corner.run();
    expect(await readdir(brought)).toEqual([`${known.number}-1-log`]);
  });

  it("leaves the lock of another alone that took over while it stood still", async () => {
    await using corner = await openCorner("{ builds: 1 }");
    for (let count = 0; count < 3; count += 1) await corner.build(1);
    const { redis } = corner.records;
    const store = {
      ...corner.scene.store,
      async remove(build: FinishedBuild) {
        await redis.commands.set("docker-ci:prune:lock", "another");
        return corner.scene.store.remove(build);
      },
    };
    await corner.run(false, { store });
    expect(await redis.commands.get("docker-ci:prune:lock")).toBe("another");
  });

  it("is done by one process at a time", async () => {
    await using corner = await openCorner("{}");
    await corner.records.redis.commands.set("docker-ci:prune:lock", "another", "PX", 60_000);
    expect(await corner.run()).toBeUndefined();
    expect(await corner.run(true)).toBeDefined();
  });

  it("takes the logs of smoke tests with it when logs of builds would go, and no earlier", async () => {
    await using corner = await openCorner("{ logs: 30d }");
    const logs = smokeLogs(corner.scene.config);
    await mkdir(logs, { recursive: true });
    for (const [name, days] of [
      ["7.log.gz", 31],
      ["8.log.gz", 29],
    ] as const) {
      await writeFile(join(logs, name), "registry 2.8.2");
      const at = new Date(NOW.getTime() - days * DAY_S * 1_000);
      await utimes(join(logs, name), at, at);
    }
    expect(await corner.run(true)).toMatchObject({ bytes: { log: 14 } });
    await corner.run();
    expect(await readdir(logs)).toEqual(["8.log.gz"]);
  });
});
