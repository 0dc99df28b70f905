/**
 * There and back again by the command line, while builds are running, over a bucket: everything that was there is there again. The
 * short form has few builds; DOCKER_CI_BACKUP_BUILDS=10000 and DOCKER_CI_BACKUP_LOG_MB=2048 make it the long one.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { pino } from "pino";
import { expect, test } from "vitest";
import { createAudit } from "../../src/audit/audit.ts";
import { type Build, isFinished } from "../../src/builds/build.ts";
import { createBuildStore } from "../../src/builds/store.ts";
import { openDataFolder } from "../../src/data-folder.ts";
import { BuildNumber } from "../../src/names.ts";
import { PACKAGE_FOLDER } from "../../src/package.ts";
import { connectRedis } from "../../src/queue/redis.ts";
import { openBackupSite } from "../support/backups.ts";
import { clock } from "../support/records.ts";
import { S3_KEY, startS3 } from "../support/s3-server.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const BUILDS = Number(process.env.DOCKER_CI_BACKUP_BUILDS ?? 60);
const LOG_MB = Number(process.env.DOCKER_CI_BACKUP_LOG_MB ?? 12);
const PEAK_MB = 200;

interface Ran {
  readonly status: number | null;
  readonly said: string;
  readonly peakMb: number;
  readonly tookMs: number;
}

async function dockerCi(folder: string, ...args: readonly string[]): Promise<Ran> {
  const began = performance.now();
  const child = spawn(process.execPath, [join(PACKAGE_FOLDER, "dist/src/main.js"), ...args], {
    cwd: folder,
    stdio: "pipe",
  });
  let said = "";
  let peakMb = 0;
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text: Buffer) => (said += text.toString()));
  const look = setInterval(() => void peakOf(child).then((mb) => (peakMb = Math.max(peakMb, mb))), 50);
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearInterval(look);
  return { status, said, peakMb, tookMs: performance.now() - began };
}

async function peakOf({ pid }: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "" /* it has ended */);
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
}

test("everything is equal after the restore, though builds ran during the backup, within a bound of memory", async () => {
  await using s3 = await startS3({ buckets: ["backup-ci"] });
  await using site = await openBackupSite();
  await using _lock = await openDataFolder(site.dataDir);
  const logBytes = Math.ceil((LOG_MB * 1024 ** 2) / BUILDS);
  // Half of a log cannot be compressed, as if it had been already.
  const noise = randomBytes(logBytes);
  const content = (number: number): string =>
    `log of ${number}\n${"compiling…\n".repeat(logBytes / 24)}${noise.subarray(0, logBytes / 2).toString("latin1")}`;
  for (let build = 0; build < BUILDS; build += 1) {
    const begun = await site.begin(await site.create("hello"));
    await site.write(`docker-ci/logs/${begun.number}.log`, content(begun.number));
    const times = { startedAt: "2026-03-01T11:00:00.000Z", finishedAt: "2026-03-01T11:01:00.000Z" };
    await site.end(begun, { kind: "passed", ...times });
  }
  const audit = createAudit(site.redis.commands, clock);
  const act = { who: "ada", account: null, room: null, detail: "", outcome: "accepted" as const };
  for (let entry = 0; entry < 700; entry += 1) await audit.record({ ...act, action: `act ${entry}` });

  await using operator = await temporaryFolder();
  const bucket = `bucket: backup-ci, endpoint: "${s3.endpoint}", access_key: ${S3_KEY.accessKey}, secret_key: ${S3_KEY.secretKey}`;
  const config = (data: string): string => `url: http://ci.example.org\ndata: ${data}\nbackup: { ${bucket} }\n`;
  await writeFile(join(operator.path, "docker-ci.yml"), config(site.dataDir));

  let over = false;
  const atWork = (async () => {
    while (!over) await site.passed(gzipSync(randomBytes(20_000)).toString("base64"));
  })();
  const waits = await site.create();
  const backup = await dockerCi(operator.path, "backup");
  over = true;
  await atWork;
  expect(backup.said).toMatch(
    /✔ backup made: docker-ci_\S+\.tgz, .* · proven: it restores · also at s3:\/\/backup-ci · took/,
  );
  expect(backup.status).toBe(0);

  const blank = join(operator.path, "restored");
  await writeFile(join(operator.path, "docker-ci.yml"), config(blank));
  const restore = await dockerCi(operator.path, "restore", "s3://backup-ci");
  expect(restore.said).toMatch(/✔ restored the backup of/);
  expect(restore.said).toContain(`#${waits.number}`);

  await using redis = await connectRedis({ redis: { kind: "embedded" }, dataDir: blank }, pino({ level: "silent" }));
  const store = createBuildStore(redis.commands);
  const [newest] = await store.latest(1);
  expect(newest?.number).toBeGreaterThan(BUILDS);
  let compared = 0;
  for (let number = 1; number <= (newest?.number ?? 0); number += 1) {
    const there = await store.get(BuildNumber.parse(number));
    const before = await site.store.get(BuildNumber.parse(number));
    expect(there === undefined || isFinished(there)).toBe(true);
    // Those that were at work then are told apart; every other is what it was, with all that it left.
    if (there === undefined || there.state.kind === "errored") continue;
    expect(there).toEqual(before);
    expect(await logOf(blank, there)).toEqual(await logOf(site.dataDir, there));
    compared += 1;
  }
  expect(compared).toBeGreaterThanOrEqual(BUILDS);
  expect(await createAudit(redis.commands, clock).verify()).toMatchObject({ ok: true, count: 701 });
  expect(await readdir(join(site.dataDir, "backup"))).toEqual(["docker-ci"]);
  const shown = [backup, restore].map(
    ({ peakMb, tookMs }) => `${peakMb.toFixed(0)} MB in ${(tookMs / 1_000).toFixed(1)} s`,
  );
  // biome-ignore lint/suspicious/noConsole: the long form is run for these numbers.
  console.log(`backup ${shown[0]}, restore ${shown[1]}: ${compared} builds, ${LOG_MB} MB of logs`);
  expect(Math.max(backup.peakMb, restore.peakMb)).toBeLessThan(PEAK_MB);
}, 1_800_000);

async function logOf(dataDir: string, { number }: Build): Promise<string> {
  const folder = join(dataDir, "docker-ci/logs");
  const whole = await readFile(join(folder, `${number}.log`)).catch(() => undefined);
  return (whole ?? gunzipSync(await readFile(join(folder, `${number}.log.gz`)))).toString("latin1");
}
