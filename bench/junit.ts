/**
 * (f) JUnit XML of 200,000 test cases, read by docker-ci, read and kept, and read by the bare XML parser, which only counts. Each
 * time in a process of its own, so that its peak of memory is its own too.
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

const CASES = 200_000;
const SUITE = 100;
const ROUNDS = 5;
const TARGET_MB_PER_S = 60;
const TARGET_PEAK_MB = 150;
const WAYS = ["bare htmlparser2", "docker-ci, read", "docker-ci, read and kept"] as const;
const READER = fileURLToPath(new URL("junit-reader.ts", import.meta.url));

export const junit: Benchmark = { title: `JUnit XML of ${CASES} test cases (${ROUNDS} rounds)`, run };

/** What `junit-reader.ts` prints. */
const Measured = z.object({ cases: z.number(), ms: z.number(), peakBytes: z.number() });

async function run(signal: AbortSignal): Promise<boolean> {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "junit.xml");
  await pipeline(Readable.from(report()), createWriteStream(path));
  const megabytes = (await stat(path)).size / 1e6;
  const samples = new Map(WAYS.map((way) => [way, { speeds: [] as number[], peaks: [] as number[] }]));
  // The first round warms the caches.
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [index, way] of WAYS.entries()) {
      const args = ["--import", "tsx", READER, String(index), path, folder.path];
      const { stdout } = await promisify(execFile)(process.execPath, args, { signal });
      const { cases, ms, peakBytes } = Measured.parse(JSON.parse(stdout));
      if (cases !== CASES) throw new Error(`${way} found ${cases} test cases`);
      if (round === 0) continue;
      samples.get(way)?.speeds.push(megabytes / (ms / 1_000));
      samples.get(way)?.peaks.push(peakBytes / 1e6);
    }
  }
  const speed = (way: (typeof WAYS)[number]): number => median(samples.get(way)?.speeds ?? []);
  const peak = (way: (typeof WAYS)[number]): number => Math.max(...(samples.get(way)?.peaks ?? []));
  printTable([
    [`${megabytes.toFixed(0)} MB`, "median", "of bare", "peak memory"],
    ...WAYS.map((way) => [
      way,
      `${speed(way).toFixed(0)} MB/s`,
      (speed(way) / speed(WAYS[0])).toFixed(2),
      `${peak(way).toFixed(0)} MB`,
    ]),
  ]);
  const reached = speed(WAYS[1]) >= TARGET_MB_PER_S && peak(WAYS[1]) < TARGET_PEAK_MB;
  console.log(
    `  ${mark(reached)} ${speed(WAYS[1]).toFixed(0)} MB/s with ${peak(WAYS[1]).toFixed(0)} MB at most (to reach: ${TARGET_MB_PER_S} MB/s, under ${TARGET_PEAK_MB} MB)`,
  );
  return reached;
}

/** As jest-junit writes it: one test in a hundred fails, one is skipped. */
function* report(): Generator<string> {
  yield `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="jest tests" tests="${CASES}" failures="${CASES / SUITE}" errors="0" time="812.4">\n`;
  for (let suite = 0; suite < CASES / SUITE; suite += 1) {
    const cases = Array.from({ length: SUITE }, (_, index) => testCase(suite, index));
    yield `  <testsuite name="storage driver ${suite}" errors="0" failures="1" skipped="1" timestamp="2026-03-01T12:00:00" time="4.2" tests="${SUITE}">\n${cases.join("")}  </testsuite>\n`;
  }
  yield "</testsuites>\n";
}

function testCase(suite: number, index: number): string {
  const file = `src/storage/driver-${suite}.test.ts`;
  const name = `storage driver ${suite} &gt; reads what was written, case ${index}`;
  const open = `    <testcase classname="${file}" name="${name}" time="0.0${index}">\n`;
  const inside =
    index === 7
      ? `      <failure message="expected 201, got 500" type="AssertionError">Error: expected 201, got 500\n    at Object.&lt;anonymous&gt; (${file}:51:12)\n    at processTicksAndRejections (node:internal/process/task_queues:95:5)</failure>\n`
      : index === 8
        ? "      <skipped/>\n"
        : "";
  return `${open}${inside}    </testcase>\n`;
}
