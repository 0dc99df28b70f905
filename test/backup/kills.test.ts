/**
 * kill -9 in the middle of a backup and of a restore: nothing is lost, the next run heals, and no server is left behind.
 * DOCKER_CI_KILLS=25 makes it the long one.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { pino } from "pino";
import { expect, test } from "vitest";
import { createBuildStore } from "../../src/builds/store.ts";
import { openDataFolder } from "../../src/data-folder.ts";
import { PACKAGE_FOLDER } from "../../src/package.ts";
import { connectRedis } from "../../src/queue/redis.ts";
import { openBackupSite } from "../support/backups.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { waitFor } from "../support/wait-for.ts";

const KILLS = Number(process.env.DOCKER_CI_KILLS ?? 4);
const silent = pino({ level: "silent" });

function begin(folder: string, ...args: readonly string[]): ChildProcess & { said(): string } {
  const main = join(PACKAGE_FOLDER, "dist/src/main.js");
  const child = spawn(process.execPath, [main, ...args], { cwd: folder, stdio: "pipe" });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text: Buffer) => (said += text.toString()));
  return Object.assign(child, { said: () => said });
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  return new Promise((resolve) => child.once("exit", (status) => resolve(status)));
}

async function serversIn(folder: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)("ps", ["-eo", "args"]);
  return stdout.split("\n").filter((line) => line.startsWith("redis-server") && line.includes(folder));
}

test("a backup that is killed at any moment leaves none that is half, and the next is good", async () => {
  await using site = await openBackupSite();
  await using _lock = await openDataFolder(site.dataDir);
  for (let build = 0; build < 5; build += 1) await site.passed(randomBytes(3 * 1024 ** 2).toString("base64"));
  await using operator = await temporaryFolder();
  await writeFile(join(operator.path, "docker-ci.yml"), `data: ${site.dataDir}\n`);
  const parent = join(site.dataDir, "backup");
  for (let kill = 0; kill < KILLS; kill += 1) {
    const child = begin(operator.path, "backup");
    await waitFor("its folder", async () => (await readdir(parent)).some((name) => name.startsWith("work-")), {
      everyMs: 2,
    }).catch(() => undefined);
    await sleep((kill * 400) / KILLS);
    child.kill("SIGKILL");
    await ended(child);
    for (const { isThere, fault } of (await site.backups.state()).backups)
      expect([isThere, fault]).toEqual([true, undefined]);
  }
  await site.passed();
  const last = begin(operator.path, "backup");
  expect([await ended(last), last.said()]).toEqual([0, expect.stringMatching(/backup made: .*proven: it restores/)]);
  expect(await readdir(parent)).toEqual(["docker-ci"]);
  expect(await serversIn(parent)).toEqual([]);
});

test("a restore that is killed at any moment is done again, or done to its end, and what it replaces is kept", async () => {
  await using site = await openBackupSite();
  for (let build = 0; build < 20; build += 1) await site.passed(randomBytes(100_000).toString("base64"));
  const { entry } = await site.backups.run({ signal: new AbortController().signal });
  const archive = join(site.backups.folder, entry.name);
  await using operator = await temporaryFolder();
  const data = join(operator.path, "data");
  await writeFile(join(operator.path, "docker-ci.yml"), "data: ./data\n");
  await mkdir(join(data, "docker-ci/logs"), { recursive: true });
  await writeFile(join(data, "docker-ci/logs/old.log"), "of before");
  for (let kill = 0; kill < KILLS; kill += 1) {
    const child = begin(operator.path, "restore", archive, "--yes");
    await waitFor("its folder", async () => (await readdir(data)).includes("restore") || child.exitCode !== null, {
      everyMs: 2,
    });
    await sleep((kill * 800) / KILLS);
    child.kill("SIGKILL");
    await ended(child);
    // The old is where it was, or whole in what is kept.
    expect(await oldLogs(operator.path)).toEqual(["of before"]);
  }
  const last = begin(operator.path, "restore", archive, "--yes");
  expect([await ended(last), last.said()]).toEqual([0, expect.stringContaining("✔ restored the backup of")]);
  expect(await oldLogs(operator.path)).toEqual(["of before"]);
  expect((await readdir(data)).toSorted()).toEqual(["docker-ci", "instance", "redis"]);
  await using redis = await connectRedis({ redis: { kind: "embedded" }, dataDir: data }, silent);
  expect(await createBuildStore(redis.commands).latest(50)).toHaveLength(20);
  expect(await readdir(join(data, "docker-ci/logs"))).toHaveLength(20);
});

async function oldLogs(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of await readdir(folder)) {
    const log = await readFile(join(folder, name, "docker-ci/logs/old.log"), "utf8").catch(() => undefined);
    if (log !== undefined) found.push(log);
  }
  return found;
}
