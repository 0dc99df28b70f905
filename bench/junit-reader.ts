/** One reading of a report for junit.ts: `junit-reader.ts <way> <file> <folder>` prints how long it took and its peak of memory. */
import { createReadStream } from "node:fs";
import { Parser } from "htmlparser2";
import { StepId } from "../src/names.ts";
import { keepTests } from "../src/results/kept-tests.ts";
import { readTestReport } from "../src/results/test-report.ts";

/** Of the disk there is little to wait for. */
const PIECE_BYTES = 256 * 1024;

const [way, path = "", folder = ""] = process.argv.slice(2);
const started = performance.now();
const cases = await read();
const ms = performance.now() - started;
console.log(JSON.stringify({ cases, ms, peakBytes: process.resourceUsage().maxRSS * 1024 }));

async function read(): Promise<number> {
  let count = 0;
  if (way === "0") {
    const parser = new Parser(
      {
        onopentag(name) {
          if (name === "testcase") count += 1;
        },
        ontext: () => undefined,
        onclosetag: () => undefined,
      },
      { xmlMode: true },
    );
    for await (const chunk of createReadStream(path, { encoding: "utf8", highWaterMark: PIECE_BYTES }))
      parser.write(chunk);
    parser.end();
    return count;
  }
  const kept = way === "2" ? await keepTests(folder, StepId.parse("tests"), 1) : undefined;
  for await (const batch of readTestReport(createReadStream(path, { highWaterMark: PIECE_BYTES }))) {
    count += batch.length;
    await kept?.add(batch);
  }
  await kept?.end();
  return count;
}
