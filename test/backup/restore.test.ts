/** The way back: what is there after a restore, what is not done or said again, and what is refused (O-104). */
import { execFile } from "node:child_process";
import { createReadStream } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { pino } from "pino";
import { expect, test } from "vitest";
import { createAudit } from "../../src/audit/audit.ts";
import { migrate } from "../../src/backup/migrations.ts";
import { finishReplacing, writeJournal } from "../../src/backup/replace.ts";
import { type Restored, type RestorePlan, restore } from "../../src/backup/restore.ts";
import { logsFolder, openLog } from "../../src/builds/log-files.ts";
import { createBuildStore } from "../../src/builds/store.ts";
import { Secret } from "../../src/config.ts";
import { BuildNumber } from "../../src/names.ts";
import type { OutboxEntry } from "../../src/queue/outbox-entry.ts";
import { pushOutbox } from "../../src/queue/push.ts";
import { connectRedis } from "../../src/queue/redis.ts";
import { moveOn, readLastDue } from "../../src/schedules/last-due.ts";
import { type BackupSite, never, openBackupSite, ROOM, saidTo } from "../support/backups.ts";
import { ADA, ago, clock, NOW } from "../support/records.ts";
import { startForeignRedis } from "../support/redis.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const run = promisify(execFile);
const log = pino({ level: "silent" });

async function archiveOf(site: BackupSite): Promise<string> {
  const { entry } = await site.backups.run({ signal: never });
  return join(site.backups.folder, entry.name);
}

function restoring(
  config: BackupSite["config"],
  archive: string,
  agree: (plan: RestorePlan) => Promise<boolean> = async () => true,
): Promise<Restored | undefined> {
  return restore({ config, clock, log, signal: never }, async () => createReadStream(archive), agree);
}

function notice(id: string, secondsAgo: number): OutboxEntry {
  const room = { ...ADA.room, network: ADA.network };
  return {
    id,
    at: ago(secondsAgo),
    outgoing: { room, reply: { lines: [{ tone: "info", facts: [id] }] }, priority: "notice" },
  };
}

test("a blank machine goes on from the backup: builds, logs, numbers, schedules, audit, and what waited to be said", async () => {
  await using site = await openBackupSite(ROOM);
  await site.passed("the whole log\n");
  const running = await site.begin(await site.create());
  const queued = await site.create();
  const { commands } = site.redis;
  await createAudit(commands, clock).record({
    who: "ada",
    account: null,
    room: null,
    action: "pause",
    detail: "",
    outcome: "accepted",
  });
  const pattern = { at: "0 2 * * *", timezone: "Etc/UTC" };
  const key = "docker-ci:schedule:nightly:hello";
  await moveOn(commands, key, await readLastDue(commands, key), { ...pattern, due: "2026-02-28T02:00:00.000Z" });
  // One that waits for a chat that is away, and one that is about to go out.
  await commands.del("docker-ci:outbox:room:fake/#dev");
  await pushOutbox(commands, [notice("waits", 900), notice("goes", 1)]);
  const archive = await archiveOf(site);

  await using blank = await temporaryFolder();
  const config = { ...site.config, dataDir: join(blank.path, "data") };
  const restored = await restoring(config, archive);
  expect([restored?.before, restored?.settled.ended.map(({ number }) => number)]).toEqual([undefined, [2, 3]]);
  expect([restored?.settled.kept, restored?.settled.leftOut]).toEqual([1, 1]);
  expect((await readdir(config.dataDir)).toSorted()).toEqual(["docker-ci", "instance", "redis"]);
  expect(await readdir(blank.path)).toEqual(["data"]);

  await using redis = await connectRedis(config, log);
  const store = createBuildStore(redis.commands);
  const before = createBuildStore(commands);
  expect(await store.get(BuildNumber.parse(1))).toEqual(await before.get(BuildNumber.parse(1)));
  for (const { number, state } of [running, queued]) {
    expect((await store.get(number))?.state).toMatchObject({
      kind: "errored",
      reason: `was ${state.kind} when the backup of Sun 12:00 UTC was made; ask again with !rebuild ${number}`,
    });
  }
  expect([await store.numbersIn("queued"), await store.numbersIn("running")]).toEqual([[], []]);
  expect((await store.create({ ...queued })).number).toBe(4);
  const kept = await openLog(logsFolder(config), 1);
  expect((await kept?.toArray())?.join("")).toBe("the whole log\n");
  const said = await saidTo({ redis }, "fake/#dev");
  expect(said[0]).toBe("waits · from the backup of 2026-03-01T12:00Z");
  expect(said.slice(1).map((text) => text.split(" · ")[0])).toEqual([
    expect.stringMatching(/^docker-registry #2 could not run/),
    expect.stringMatching(/^docker-registry #3 could not run/),
  ]);
  expect(await saidTo({ redis }, "libera/#dev")).toEqual([
    expect.stringMatching(/^restored from the backup of Sun 12:00 UTC · 2 builds that ran or waited/),
  ]);
  expect((await readLastDue(redis.commands, key)).last?.due).toBe(NOW.toISOString());
  expect(await createAudit(redis.commands, clock).verify()).toMatchObject({ ok: true, count: 2 });
  expect(await redis.commands.keys("docker-ci:bull:*")).toEqual([]);
});

test("over an old one: what is replaced is kept, and tells what was said and which numbers were given since", async () => {
  await using site = await openBackupSite();
  await site.passed();
  const { commands } = site.redis;
  const list = "docker-ci:outbox:room:fake/#dev";
  await commands.del(list);
  await pushOutbox(commands, [notice("said since", 900), notice("waits still", 900)]);
  const archive = await archiveOf(site);
  await commands.lpop(list);
  await site.passed();
  await site.write("docker-ci/logs/extra.log", "of later");
  await site.stop();

  const plans: RestorePlan[] = [];
  const refused = await restoring(site.config, archive, async (plan) => {
    plans.push(plan);
    return false;
  });
  expect([refused, plans[0]?.before]).toEqual([undefined, `${site.dataDir}.before-2026-03-01T120000`]);
  expect(await readdir(join(site.dataDir, "docker-ci/logs"))).toContain("extra.log");

  const restored = await restoring(site.config, archive);
  try {
    expect(await readdir(join(restored?.before ?? "", "docker-ci/logs"))).toContain("extra.log");
    expect(await readdir(join(site.dataDir, "docker-ci/logs"))).toEqual(["1.log.gz"]);
    expect(await readdir(site.backups.folder)).toContain("docker-ci.tgz");
    await using redis = await connectRedis(site.config, log);
    expect(await saidTo({ redis }, "fake/#dev")).toEqual(["waits still"]);
    const store = createBuildStore(redis.commands);
    expect((await store.latest(9)).map(({ number }) => number)).toEqual([1]);
    const [first] = await store.latest(1);
    if (first !== undefined) expect((await store.create({ ...first })).number).toBe(3);
  } finally {
    await rm(restored?.before ?? "", { recursive: true, force: true });
  }
});

test.each([
  ["changed in its middle", (archive: Buffer) => flip(archive, archive.length >> 1)],
  ["changed in its first bytes", (archive: Buffer) => flip(archive, 9)],
  ["changed at its end", (archive: Buffer) => flip(archive, archive.length - 1)],
  ["cut by one byte", (archive: Buffer) => archive.subarray(0, -1)],
  ["cut in half", (archive: Buffer) => archive.subarray(0, archive.length >> 1)],
  ["empty", () => Buffer.alloc(0)],
  ["something else", () => Buffer.from("hello".repeat(1_000))],
])("an archive that is %s is refused before anything is replaced", async (_, damage) => {
  await using site = await openBackupSite();
  await site.passed();
  const archive = await archiveOf(site);
  const damaged = join(site.dataDir, "backup", "damaged.tgz");
  await writeFile(damaged, damage(await readFile(archive)));
  await using there = await temporaryFolder();
  await writeFile(join(there.path, "instance"), "keep me\n");
  const config = { ...site.config, dataDir: there.path };
  await expect(restoring(config, damaged)).rejects.toThrow(/^this archive is not restored: .*; nothing was replaced$/);
  expect(await readdir(there.path)).toEqual(["instance"]);
});

function flip(archive: Buffer, at: number): Buffer {
  const changed = Buffer.from(archive);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}

test("an encrypted one restores with its passphrase alone", async () => {
  await using site = await openBackupSite("backup: { passphrase: correct horse }\n");
  await site.passed();
  const archive = await archiveOf(site);
  expect(archive).toMatch(/\.tgz\.age$/);
  expect((await readFile(archive)).subarray(0, 21).toString()).toBe("age-encryption.org/v1");
  await using there = await temporaryFolder();
  const config = { ...site.config, dataDir: there.path };
  const { backup } = config;
  if (backup === undefined) throw new Error("it is configured");
  const wrong = { ...config, backup: { ...backup, passphrase: new Secret("battery staple") } };
  await expect(restoring(wrong, archive)).rejects.toThrow("it does not open with backup.passphrase");
  const none = { ...config, backup: undefined };
  await expect(restoring(none, archive)).rejects.toThrow("it is encrypted, and backup.passphrase is not set");
  expect((await restoring(config, archive))?.manifest.records.builds).toBe(1);
});

test("one of a newer docker-ci is refused, one of an older is migrated step by step", async () => {
  await using site = await openBackupSite();
  await site.passed();
  await using work = await temporaryFolder();
  await run("tar", ["xzf", await archiveOf(site), "-C", work.path]);
  const header = JSON.parse(await readFile(join(work.path, "backup.json"), "utf8"));
  await writeFile(join(work.path, "backup.json"), JSON.stringify({ ...header, format: 99, version: "9.0.0" }));
  const newer = join(site.dataDir, "backup", "newer.tgz");
  await run("tar", ["czf", newer, "-C", work.path, "backup.json", "records.jsonl", "data", "manifest.json"]);
  await using there = await temporaryFolder();
  await expect(restoring({ ...site.config, dataDir: there.path }, newer)).rejects.toThrow(
    "it was made by docker-ci 9.0.0, which is newer than this one",
  );

  const steps: string[] = [];
  const step = (name: string) => async () => void steps.push(name);
  const migrations = new Map([
    [1, step("1 to 2")],
    [2, step("2 to 3")],
  ]);
  expect(await migrate(work.path, { format: 1, version: "1.0.0" }, { to: 3, migrations })).toBe(2);
  expect(steps).toEqual(["1 to 2", "2 to 3"]);
  await expect(migrate(work.path, { format: 0, version: "0.9.0" }, { to: 3, migrations })).rejects.toThrow(
    "made by docker-ci 0.9.0 in format 0, which this version cannot read any more",
  );
});

test.each(["aside", "in"] as const)(
  "a restore that is killed while it moves (%s) is done to its end by the next start",
  async (phase) => {
    await using there = await temporaryFolder();
    const data = join(there.path, "data");
    const before = join(there.path, "data.before-x");
    await mkdir(join(data, "restore/next/docker-ci/logs"), { recursive: true });
    await writeFile(join(data, "restore/next/docker-ci/logs/1.log"), "new");
    await writeFile(join(data, "restore/next/instance"), "new\n");
    await mkdir(join(data, "docker-ci/logs"), { recursive: true });
    await mkdir(join(data, "backup"));
    await writeFile(join(data, "docker-ci/logs/1.log"), "old");
    await writeJournal(data, { phase: "aside", before });
    if (phase === "in") {
      // All of the old was moved and the first of the new.
      await mkdir(before);
      await rename(join(data, "docker-ci"), join(before, "docker-ci"));
      await rename(join(data, "restore/next/instance"), join(data, "instance"));
      await writeJournal(data, { phase: "in", before });
    }
    await finishReplacing(data);
    await finishReplacing(data);
    expect((await readdir(data)).toSorted()).toEqual(["backup", "docker-ci", "instance"]);
    expect(await readFile(join(data, "docker-ci/logs/1.log"), "utf8")).toBe("new");
    expect(await readFile(join(before, "docker-ci/logs/1.log"), "utf8")).toBe("old");
  },
);

test("with a Redis of its own the records go there, in the place of what docker-ci had there and of nothing else", async () => {
  await using site = await openBackupSite();
  await site.passed();
  const archive = await archiveOf(site);
  await using foreign = await startForeignRedis(["--appendonly", "yes", "--repl-diskless-sync-delay", "0"]);
  await using there = await temporaryFolder();
  const config: BackupSite["config"] = {
    ...site.config,
    dataDir: join(there.path, "data"),
    redis: { kind: "url", url: new Secret(foreign.url) },
  };
  {
    await using redis = await connectRedis(config, log);
    await redis.commands.set("docker-ci:builds:next", "7");
    await redis.commands.set("somebody-else", "stays");
  }
  const plans: RestorePlan[] = [];
  const restored = await restoring(config, archive, async (plan) => plans.push(plan) > 0);
  expect(plans[0]?.foreignKeys).toBe(1);
  await using redis = await connectRedis(config, log);
  expect((await createBuildStore(redis.commands).latest(9)).map(({ number }) => number)).toEqual([1]);
  expect(await redis.commands.mget("somebody-else", "docker-ci:builds:next")).toEqual(["stays", "1"]);
  const folder = (await readdir(there.path)).find((name) => name.startsWith("data.before-")) ?? "";
  expect(await readFile(join(there.path, folder, "records.jsonl"), "utf8")).toContain("docker-ci:builds:next");
  expect(restored?.settled.ended).toEqual([]);
  // And a backup of that Redis, taken over the network.
  const { takeSnapshot } = await import("../../src/backup/snapshot.ts");
  await using work = await temporaryFolder();
  expect((await takeSnapshot(config, work.path, never)).summary.builds).toBe(1);
});
