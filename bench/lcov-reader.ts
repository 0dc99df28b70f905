/** One reading of an lcov file, in a process of its own; `lcov.ts` starts it. */
import { createReadStream } from "node:fs";
import { totalsOf } from "../src/results/coverage.ts";
import { readCoverageReport } from "../src/results/coverage-report.ts";

const NEWLINE = 10;

const [way = "", path = ""] = process.argv.slice(2);
const began = performance.now();
const found = way === "0" ? await countLines(path) : totalsOf(await readCoverageReport(createReadStream(path))).total;
const ms = performance.now() - began;
console.log(JSON.stringify({ found, ms, peakBytes: process.resourceUsage().maxRSS * 1024 }));

/** What no reader of lines can do without. */
async function countLines(file: string): Promise<number> {
  let lines = 0;
  for await (const chunk of createReadStream(file)) {
    const bytes: Buffer = chunk;
    for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) lines += 1;
  }
  return lines;
}
