/**
 * (g) An lcov file of 100 MB, read by docker-ci, and its lines only counted. Each time in a process of its own, so that its peak of
 * memory is its own too.
 */
import { execFile } from "node:child_process";
import { createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import { temporaryFolder } from "../test/support/temporary-folder.ts";
import { mark, median, printTable } from "./numbers.ts";
import type { Benchmark } from "./scene.ts";

const FILES = 4_000;
const FILE_LINES = 2_150;
const ROUNDS = 5;
const TARGET_MB_PER_S = 100;
const WAYS = ["lines only counted", "docker-ci"] as const;
const READER = fileURLToPath(new URL("lcov-reader.ts", import.meta.url));

export const lcov: Benchmark = { title: `an lcov file of ${FILES} sources (${ROUNDS} rounds)`, run };

/** What `lcov-reader.ts` prints. */
const Measured = z.object({ found: z.number(), ms: z.number(), peakBytes: z.number() });

async function run(signal: AbortSignal): Promise<boolean> {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "lcov.info");
  await pipeline(Readable.from(report()), createWriteStream(path));
  const megabytes = (await stat(path)).size / 1e6;
  const samples = new Map(WAYS.map((way) => [way, { speeds: [] as number[], peaks: [] as number[] }]));
  // The first round warms the caches.
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [index, way] of WAYS.entries()) {
      const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", READER, String(index), path], {
        signal,
      });
      const { found, ms, peakBytes } = Measured.parse(JSON.parse(stdout));
      if (way === "docker-ci" && found !== FILES * FILE_LINES) throw new Error(`${way} found ${found} lines`);
      if (round === 0) continue;
      samples.get(way)?.speeds.push(megabytes / (ms / 1_000));
      samples.get(way)?.peaks.push(peakBytes / 1e6);
    }
  }
  const speed = (way: (typeof WAYS)[number]): number => median(samples.get(way)?.speeds ?? []);
  printTable([
    [`${megabytes.toFixed(0)} MB`, "median", "of bare", "peak memory"],
    ...WAYS.map((way) => [
      way,
      `${speed(way).toFixed(0)} MB/s`,
      (speed(way) / speed(WAYS[0])).toFixed(2),
      `${Math.max(...(samples.get(way)?.peaks ?? [])).toFixed(0)} MB`,
    ]),
  ]);
  const reached = speed("docker-ci") >= TARGET_MB_PER_S;
  console.log(`  ${mark(reached)} to reach: ${TARGET_MB_PER_S} MB/s`);
  return reached;
}

/** As vitest and c8 write it: functions, lines, branches. */
function* report(): Generator<string> {
  for (let file = 0; file < FILES; file += 1) {
    const records = [`TN:\nSF:src/area-${file % 40}/module-${file}.ts\nFN:1,main\nFNF:1\nFNH:1\nFNDA:3,main\n`];
    for (let line = 1; line <= FILE_LINES; line += 1) {
      records.push(`DA:${line * 2},${(line * file) % 17}\n`);
      if (line % 10 === 0) records.push(`BRDA:${line * 2},0,0,${line % 3}\n`);
    }
    yield `${records.join("")}LF:${FILE_LINES}\nLH:${FILE_LINES - 100}\nend_of_record\n`;
  }
}
