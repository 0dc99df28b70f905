/** Backups in buckets: where they lie, for how long, and what happens when a bucket is not there (O-103, O-104). */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { backupIfDue, startBackups } from "../../jobs/backup.ts";
import { createAskedBackups } from "../../src/backup/asked.ts";
import { keptNames } from "../../src/backup/names.ts";
import { lockFolder } from "../../src/data-folder.ts";
import { type BackupSite, never, openBackupSite, ROOM, saidTo } from "../support/backups.ts";
import { S3_KEY, startS3 } from "../support/s3-server.ts";
import { waitFor } from "../support/wait-for.ts";

const options = { signal: never };
const KEY = "data/backup/docker-ci/docker-ci_2026-03-01.tgz";

function target(endpoint: string, more = ""): string {
  const keys = `endpoint: "${endpoint}", access_key: ${S3_KEY.accessKey}, secret_key: ${S3_KEY.secretKey}`;
  return `backup: { bucket: backup-ci, ${keys}${more} }\n`;
}

function jobOf(site: BackupSite) {
  const { backups, redis, log, config, subscriptions } = site;
  const asked = createAskedBackups({
    backups,
    redis: redis.commands,
    chats: new Map(),
    url: config.url,
    clock: site.time,
    log,
  });
  return { config, subscriptions, clock: site.time, redis: redis.commands, log, backup: config.backup, backups, asked };
}

test("a backup goes to its bucket under the original's key, and docker-ci.tgz at the root is the same (O-103)", async () => {
  await using s3 = await startS3({ buckets: ["backup-ci"] });
  await using site = await openBackupSite(target(s3.endpoint, ", storage_class: STANDARD_IA"));
  await site.passed();
  const { entry, problems } = await site.backups.run(options);
  expect(problems).toEqual([]);
  expect(Object.keys(entry.stored)).toEqual(["s3://backup-ci"]);
  const here = await readFile(join(site.backups.folder, entry.name));
  for (const key of [KEY, "docker-ci.tgz"]) expect((await s3.read("backup-ci", key)).equals(here)).toBe(true);
  expect(s3.objects("backup-ci").find(({ key }) => key === KEY)?.storageClass).toBe("STANDARD_IA");
  expect(
    s3.requests.some(({ method, headers }) => method === "PUT" && headers["x-amz-copy-source"] !== undefined),
  ).toBe(true);
});

test("a bucket that is not there is never made, and everybody is told", async () => {
  await using s3 = await startS3({ buckets: ["another"] });
  await using site = await openBackupSite(ROOM + target(s3.endpoint));
  await site.passed();
  const { problems } = await site.backups.run(options);
  expect(problems).toEqual([expect.stringMatching(/^docker-ci_2026-03-01\.tgz is not at s3:\/\/backup-ci: /)]);
  expect(await saidTo(site, "libera/#dev")).toHaveLength(1);
});

test("an upload that is cut leaves nothing half, and the next look completes it", async () => {
  await using s3 = await startS3({ buckets: ["backup-ci"] });
  await using site = await openBackupSite(ROOM + target(s3.endpoint), 1);
  await site.passed("x".repeat(100_000));
  s3.cutNext("upload", { key: "docker-ci_", afterBytes: 500, times: 9 });
  const { problems } = await site.backups.run(options);
  expect(problems).toHaveLength(1);
  expect(s3.objects("backup-ci").map(({ key }) => key)).toEqual([".docker-ci-owner"]);
  s3.cutNext("upload", { key: "docker-ci_", times: 0 });
  await waitFor("the upload", async () => (await site.backups.heal(options)).length === 0);
  expect(s3.objects("backup-ci").map(({ key }) => key)).toEqual([".docker-ci-owner", KEY, "docker-ci.tgz"]);
  expect(s3.openUploads()).toEqual([]);
  expect((await saidTo(site, "libera/#dev")).map((text) => text.split(":")[0]?.split(" · ")[0])).toEqual([
    "backup failed",
    "backups are good again",
  ]);
});

test("a bucket that is away for an hour gets the backup when it is back, and one notice is said of each", async () => {
  await using s3 = await startS3({ buckets: ["backup-ci"] });
  await using site = await openBackupSite(ROOM + target(s3.endpoint), 1);
  await site.passed();
  const job = jobOf(site);
  // It counts from now; an hour later than it is due the bot is up again.
  expect(await backupIfDue(job, never)).toBeUndefined();
  site.time.at = new Date("2026-03-02T08:00:00Z");
  await s3.stop();
  await using _looking = startBackups(job, { lookMs: 20, againMs: 10 * 60_000 });
  await waitFor("the trouble", async () => (await site.backups.state()).trouble !== undefined);
  const [made] = (await site.backups.state()).backups;
  expect([made?.name, made?.provenAt === undefined]).toEqual(["docker-ci_2026-03-02.tgz", false]);
  for (let minutes = 10; minutes < 60; minutes += 10) site.time.pass(10 * 60_000);
  await s3.start();
  await waitFor("the copy", async () => {
    site.time.pass(60_000);
    return (await site.backups.state()).trouble === undefined;
  });
  expect(s3.objects("backup-ci").map(({ key }) => key)).toContain("data/backup/docker-ci/docker-ci_2026-03-02.tgz");
  expect((await site.backups.state()).backups).toHaveLength(1);
  expect(await saidTo(site, "libera/#dev")).toEqual([
    expect.stringMatching(/^backup failed: docker-ci_2026-03-02\.tgz is not at s3:\/\/backup-ci/),
    expect.stringMatching(/^backups are good again/),
  ]);
  // It was due once, and is done for that day.
  expect(await backupIfDue(job, never)).toBeUndefined();
});

test("one that cannot begin for an hour is told once to have not happened", async () => {
  await using site = await openBackupSite(`${ROOM}backup: { at: "0 7 * * *" }\n`);
  await site.passed();
  const job = jobOf(site);
  await backupIfDue(job, never);
  await mkdir(site.backups.folder, { recursive: true });
  await using _other = await lockFolder(join(site.dataDir, "backup"), "backup", "another is at it");
  site.time.at = new Date("2026-03-02T07:30:00Z");
  await expect(backupIfDue(job, never)).rejects.toThrow("a backup is being made already");
  expect(await saidTo(site, "libera/#dev")).toEqual([]);
  site.time.pass(3_600_000);
  for (let look = 0; look < 3; look += 1) await expect(backupIfDue(job, never)).rejects.toThrow("being made already");
  expect(await saidTo(site, "libera/#dev")).toEqual([
    "backup did not happen: due Mon 07:00 UTC, 1h30m ago · a backup is being made already; !backups says how far it is.",
  ]);
});

test("of so many days, weeks and months the newest stay", () => {
  const days = Array.from({ length: 100 }, (_, day) => {
    const at = new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10);
    return `docker-ci_${at}.tgz`;
  });
  const kept = keptNames([...days, "docker-ci_2026-04-10T160000.tgz", "notes.txt"], {
    daily: 2,
    weekly: 2,
    monthly: 3,
  });
  expect([...kept].toSorted()).toEqual([
    "docker-ci_2026-02-28.tgz",
    "docker-ci_2026-03-31.tgz",
    "docker-ci_2026-04-05.tgz",
    "docker-ci_2026-04-09.tgz",
    "docker-ci_2026-04-10T160000.tgz",
  ]);
});

test("old backups go on both sides, a dry run only tells, and nothing else in the bucket is touched (O-104)", async () => {
  await using s3 = await startS3({ buckets: ["backup-ci"] });
  await using site = await openBackupSite(target(s3.endpoint, ", keep: 2"));
  const names: string[] = [];
  for (let day = 0; day < 2; day += 1) {
    await site.passed();
    names.push((await site.backups.run(options)).entry.name);
    site.time.pass(86_400_000);
  }
  await site.passed();
  const s3Names = (): string[] => s3.objects("backup-ci").map(({ key }) => key.split("/").at(-1) ?? "");
  names.push((await site.backups.run(options)).entry.name);
  expect((await site.backups.state()).backups.map(({ name }) => name)).toEqual(names.slice(1).toReversed());
  expect(s3Names()).toEqual([".docker-ci-owner", ...names.slice(1), "docker-ci.tgz"]);
  site.time.pass(86_400_000);

  const few = {
    ...site.config,
    backup: site.config.backup && { ...site.config.backup, keep: { daily: 1, weekly: 0, monthly: 0 } },
  };
  const { createBackups } = await import("../../src/backup/backups.ts");
  const { openS3 } = await import("../../adapters/s3/index.ts");
  const backups = createBackups({
    config: few,
    redis: site.redis.commands,
    subscriptions: site.subscriptions,
    clock: site.time,
    log: site.log,
    openStore: async (bucket) => openS3(bucket),
  });
  const told = await backups.prune(true, never);
  expect([told.here, told.stored.get("s3://backup-ci")]).toEqual([[names[1]], [names[1]]]);
  expect(s3Names()).toContain(names[1]);
  await backups.prune(false, never);
  expect(s3Names()).toEqual([".docker-ci-owner", names[2], "docker-ci.tgz"]);
});
