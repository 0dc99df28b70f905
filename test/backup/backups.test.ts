/** Making backups: what is in them, when one is stored, and what is said when one is not as it should be (O-100 to O-102). */
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { appendFile, mkdir, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { createAudit } from "../../src/audit/audit.ts";
import type { BackupProgress } from "../../src/backup/progress.ts";
import { never, openBackupSite, ROOM, saidTo } from "../support/backups.ts";
import { clock } from "../support/records.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const run = promisify(execFile);
const options = { signal: never };

test("a backup holds records and files of a docker-ci at work, is proven, and the newest has a name of its own (O-100, O-102)", async () => {
  await using site = await openBackupSite();
  await site.passed("the whole log\n");
  const running = await site.begin(await site.create());
  await site.write("docker-ci/logs/2.log", "so far\n");
  await site.write("docker-ci/work/2/tree.tar", "a checkout");
  await site.write("docker-ci/artifacts/1/a.tgz", "an artifact");
  const seen = new Set<BackupProgress["phase"]>();
  const { kind, entry, problems } = await site.backups.run({ ...options, onProgress: ({ phase }) => seen.add(phase) });
  expect([kind, problems, entry.name, entry.builds]).toEqual(["stored", [], "docker-ci_2026-03-01.tgz", 2]);
  expect(entry.provenAt).toBeDefined();
  expect([...seen]).toEqual(["records", "proof"]);
  expect(await readlink(join(site.backups.folder, "docker-ci.tgz"))).toBe(entry.name);

  const archive = join(site.backups.folder, "docker-ci.tgz");
  const { stdout } = await run("tar", ["tzf", archive]);
  expect(stdout.trim().split("\n")).toEqual([
    "backup.json",
    "records.jsonl",
    "data/docker-ci/logs/1.log.gz",
    "data/docker-ci/logs/2.log",
    "data/docker-ci/results/1/tests.json",
    "data/instance",
    "manifest.json",
  ]);
  await using there = await temporaryFolder();
  await run("tar", ["xzf", archive, "-C", there.path]);
  const manifest = JSON.parse(await readFile(join(there.path, "manifest.json"), "utf8"));
  for (const { path, sha256 } of manifest.files) {
    const content = await readFile(join(there.path, path));
    expect([path, createHash("sha256").update(content).digest("hex")]).toEqual([path, sha256]);
  }
  const records = await readFile(join(there.path, "records.jsonl"), "utf8");
  expect(records).toContain(`"docker-ci:build:${running.number}"`);
  expect(records).not.toContain("docker-ci:bull:");
});

test("the same state at the same moment is the same archive, byte for byte", async () => {
  await using site = await openBackupSite();
  for (let build = 0; build < 3; build += 1) await site.passed();
  const made: Buffer[] = [];
  for (let time = 0; time < 2; time += 1) {
    const { entry } = await site.backups.run(options);
    made.push(await readFile(join(site.backups.folder, entry.name)));
    await rm(join(site.backups.folder, entry.name));
  }
  expect(made[0]?.equals(made[1] ?? Buffer.alloc(0))).toBe(true);
});

test("nothing new is stored while nothing changed, whatever a backup itself leaves behind (O-101)", async () => {
  await using site = await openBackupSite(ROOM);
  await site.passed();
  const first = await site.backups.run(options);
  site.time.pass(3_600_000);
  const audit = createAudit(site.redis.commands, clock);
  const act = { who: "ada", account: null, room: "fake/#dev", detail: "", outcome: "accepted" as const };
  await audit.record({ ...act, action: "backup" });
  await appendFile(join(site.dataDir, "history"), "!backup\n");
  await site.write("docker-ci/docker-ci.log", "{}\n");
  const second = await site.backups.run(options);
  expect([second.kind, second.entry.name]).toEqual(["unchanged", first.entry.name]);
  expect((await site.backups.state()).backups).toHaveLength(1);

  await audit.record({ ...act, action: "pause" });
  const third = await site.backups.run(options);
  expect([third.kind, third.entry.name]).toEqual(["stored", "docker-ci_2026-03-01T130000.tgz"]);
  expect(await readlink(join(site.backups.folder, "docker-ci.tgz"))).toBe(third.entry.name);
});

test("a docker-ci.yml goes along without what is secret in it", async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, "docker-ci.yml");
  const text = `web: { user: ada, password: "hunter\\u0032" } # it was hunter2\nmail: { host: h, from: ci@example.org, to: [], password: $SMTP }\n`;
  await writeFile(file, text);
  const { configWithoutSecrets } = await import("../../src/backup/config-copy.ts");
  const { loadConfig } = await import("../../src/config.ts");
  const config = await loadConfig({ env: { SMTP: "s3cret", DOCKER_CI_CONFIG: file }, cwd: folder.path });
  const copy = (await configWithoutSecrets(config)) ?? "";
  expect(copy).not.toMatch(/hunter|s3cret/);
  expect(copy).toMatch(/user: ada, password: "?\[secret\]"?/);
  expect(copy).toContain("password: $SMTP");
});

test("while one is made another is refused, and what a killed one left is swept", async () => {
  await using site = await openBackupSite();
  await site.passed();
  await mkdir(join(site.dataDir, "backup", "work-dead", "proof"), { recursive: true });
  const first = site.backups.run(options);
  await expect(site.backups.run(options)).rejects.toThrow("a backup is being made already");
  await first;
  expect(await readdir(join(site.dataDir, "backup"))).toEqual(["docker-ci"]);
});

test("one that is missing, or does not restore, is said once, and once that it is good again", async () => {
  await using site = await openBackupSite(ROOM);
  await site.passed();
  const { entry } = await site.backups.run(options);
  const file = join(site.backups.folder, entry.name);
  const good = await readFile(file);
  await rm(file);
  expect(await site.backups.needsHealing()).toBe(true);
  await site.backups.heal(options);
  await site.backups.heal(options);
  expect(await saidTo(site, "libera/#dev")).toEqual([
    `backup failed: ${entry.name} is missing in ${site.backups.folder}, or not as long as it was · what was backed up before is still there`,
  ]);
  site.time.pass(86_400_000);
  await site.backups.run(options);
  expect((await saidTo(site, "libera/#dev")).slice(1)).toEqual(["backups are good again · after 1d"]);

  // One that came to lie there otherwise is proven like any other.
  const changed = Buffer.from(good);
  changed[changed.length >> 1] = (changed[changed.length >> 1] ?? 0) ^ 1;
  await writeFile(join(site.backups.folder, "docker-ci_2026-03-09.tgz"), changed);
  expect(await site.backups.heal(options)).toEqual([
    expect.stringMatching(/^docker-ci_2026-03-09\.tgz does not restore: it (is not a whole backup|was changed)/),
  ]);
  expect(await saidTo(site, "libera/#dev")).toHaveLength(3);
});

test.runIf(process.getuid?.() === 0)("a full disk leaves what was there, and the next backup is good", async () => {
  await using site = await openBackupSite(ROOM);
  await site.passed();
  const folder = join(site.dataDir, "backup");
  await mkdir(folder);
  await run("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", folder]);
  try {
    const first = await site.backups.run(options);
    const noise = randomBytes(6 * 1024 ** 2);
    await site.write("docker-ci/logs/9.log.gz", noise);
    await expect(site.backups.run(options)).rejects.toThrow("the disk is full");
    expect((await site.backups.state()).backups.map(({ name, isThere }) => [name, isThere])).toEqual([
      [first.entry.name, true],
    ]);
    expect(await readdir(folder)).toEqual(["docker-ci"]);
    expect(await saidTo(site, "libera/#dev")).toEqual([expect.stringMatching(/^backup failed: .*the disk is full/)]);
    // Packed it fits, unpacked for the proof it does not: that is no fault of the backup.
    await site.write("docker-ci/logs/9.log.gz", Buffer.alloc(6 * 1024 ** 2));
    await expect(site.backups.run(options)).rejects.toThrow(
      "could not be proven: it could not be unpacked: the disk is full",
    );
    expect((await site.backups.state()).backups[0]?.fault).toBeUndefined();
    await rm(join(site.dataDir, "docker-ci/logs/9.log.gz"));
    site.time.pass(1_000);
    await site.backups.run(options);
    expect((await saidTo(site, "libera/#dev"))[1]).toMatch(/^backups are good again/);
  } finally {
    await run("umount", [folder]);
  }
});
