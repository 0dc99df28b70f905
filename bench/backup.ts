/**
 * (k) A backup of 200 builds with 60 MB of logs, against `tar cz` of the same folder: of logs as they are kept (compressed), and of
 * text. Each in a process of its own, so that its peak of memory is its own too. Proof is measured beside it; tar has none.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import { openRecords } from "../test/support/records.ts";
import { mark, median, printTable } from "./numbers.ts";
import type { Benchmark } from "./scene.ts";

const BUILDS = 200;
const LOG_BYTES = 300_000;
const ROUNDS = 2;
const TARGET_RATIO = 0.8;
const TARGET_PEAK_MB = 200;
const WAYS = ["tar cz", "docker-ci", "docker-ci, encrypted", "docker-ci, proven too"] as const;
const MAKER = fileURLToPath(new URL("backup-maker.ts", import.meta.url));

export const backup: Benchmark = {
  title: `a backup of ${BUILDS} builds, ${(BUILDS * LOG_BYTES) / 1e6} MB of logs (${ROUNDS} rounds)`,
  run,
};

/** What `backup-maker.ts` prints. */
const Measured = z.object({ ms: z.number(), peakBytes: z.number() });

async function run(signal: AbortSignal): Promise<boolean> {
  await using records = await openRecords();
  for (let build = 0; build < BUILDS; build += 1) await records.create("hello");
  const text = await measure(records.dataDir, "text", signal);
  const compressed = await measure(records.dataDir, "compressed", signal);
  return text && compressed;
}

async function measure(dataDir: string, kind: "text" | "compressed", signal: AbortSignal): Promise<boolean> {
  const folder = join(dataDir, "docker-ci", "logs");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (let build = 1; build <= BUILDS; build += 1) await writeFile(join(folder, `${build}.log`), logOf(kind));
  const samples = new Map(WAYS.map((way) => [way, { speeds: [] as number[], peaks: [] as number[] }]));
  // The first round warms the caches.
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const way of WAYS) {
      signal.throwIfAborted();
      const { ms, peakBytes } = await once(dataDir, way, signal);
      if (round === 0) continue;
      samples.get(way)?.speeds.push((BUILDS * LOG_BYTES) / 1e6 / (ms / 1_000));
      samples.get(way)?.peaks.push(peakBytes / 1e6);
    }
  }
  const speed = (way: (typeof WAYS)[number]): number => median(samples.get(way)?.speeds ?? []);
  const peak = Math.max(...WAYS.map((way) => Math.max(...(samples.get(way)?.peaks ?? []))));
  const ratio = speed("docker-ci") / speed("tar cz");
  printTable([
    [kind, "MB/s", "of tar cz", "peak"],
    ...WAYS.map((way) => [
      way,
      speed(way).toFixed(0),
      (speed(way) / speed("tar cz")).toFixed(2),
      way === "tar cz" ? "" : `${Math.max(...(samples.get(way)?.peaks ?? [])).toFixed(0)} MB`,
    ]),
  ]);
  const isFast = ratio >= TARGET_RATIO;
  const isSmall = peak < TARGET_PEAK_MB;
  console.log(`  ${mark(isFast)} ${ratio.toFixed(2)} of tar cz (at least ${TARGET_RATIO})`);
  console.log(`  ${mark(isSmall)} at most ${peak.toFixed(0)} MB of memory (under ${TARGET_PEAK_MB})`);
  return isFast && isSmall;
}

async function once(
  dataDir: string,
  way: (typeof WAYS)[number],
  signal: AbortSignal,
): Promise<z.output<typeof Measured>> {
  const execute = promisify(execFile);
  if (way === "tar cz") {
    const began = performance.now();
    await execute("tar", ["czf", join(dataDir, "backup.tgz"), "-C", dataDir, "docker-ci"], { signal });
    const ms = performance.now() - began;
    await rm(join(dataDir, "backup.tgz"));
    return { ms, peakBytes: 0 };
  }
  const encrypted = way === "docker-ci, encrypted" ? "backup: { passphrase: correct horse }" : "";
  const args = [dataDir, way === "docker-ci, proven too" ? "whole" : "archive", encrypted];
  const { stdout } = await execute(process.execPath, ["--import", "tsx", MAKER, ...args], { signal });
  await rm(join(dataDir, "backup"), { recursive: true, force: true });
  return Measured.parse(JSON.parse(stdout));
}

const WORDS = Array.from({ length: 2_000 }, () => randomBytes(4).toString("hex"));

/** Lines that are alike and not the same; or what gzip made of such. */
function logOf(kind: "text" | "compressed"): Buffer {
  if (kind === "compressed") return randomBytes(LOG_BYTES);
  let text = "";
  for (let line = 0; text.length < LOG_BYTES; line += 1) {
    text += `${line} ok ${WORDS[Math.floor(Math.random() * WORDS.length)]} took ${Math.floor(Math.random() * 900)} ms\n`;
  }
  return Buffer.from(text.slice(0, LOG_BYTES));
}
