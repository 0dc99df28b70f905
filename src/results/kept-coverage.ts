/** The coverage of a build as it is kept in its results folder: one file a step, compressed, its unit first and then a file a line. */
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { z } from "zod";
import { RuntimeError } from "../errors.ts";
import { ifMissing } from "../missing.ts";
import type { StepId } from "../names.ts";
import { type CoverageReport, CoverageTotals, type FileCoverage, totalsOf } from "./coverage.ts";
import type { Warn } from "./kept-tests.ts";
import { mergeCoverage } from "./merge-coverage.ts";

const ENDING = ".coverage.jsonl.gz";

const Head = z.strictObject({ unit: CoverageTotals.shape.unit });
const Count = z.number().int().min(0).max(0xffff_ffff);
const Numbers = z.array(Count).transform((values) => Uint32Array.from(values));
const KeptFile = z
  .strictObject({
    path: z.string(),
    covered: Count,
    total: Count,
    lines: Numbers,
    hits: Numbers,
    blocks: Numbers.optional(),
  })
  .transform(({ blocks, ...file }): FileCoverage => (blocks === undefined ? file : { ...file, blocks }));

/**
 * Keeps the report of a step, in place of one that the step left before, and makes the folder where it is missing.
 * @throws RuntimeError when the disk fails.
 */
export async function keepCoverage(folder: string, step: StepId, report: CoverageReport): Promise<CoverageTotals> {
  const path = join(folder, `${step}${ENDING}`);
  try {
    await mkdir(folder, { recursive: true });
    await pipeline(Readable.from(linesOf(report)), createGzip({ level: 4 }), createWriteStream(`${path}.part`));
    await rename(`${path}.part`, path);
  } catch (error) {
    await rm(`${path}.part`, { force: true });
    throw new RuntimeError("the coverage cannot be kept", { cause: error });
  }
  return totalsOf(report);
}

function* linesOf({ unit, files }: CoverageReport): Generator<string> {
  yield `${JSON.stringify({ unit })}\n`;
  for (const { lines, hits, blocks, ...file } of files) {
    const numbers = { lines: [...lines], hits: [...hits], ...(blocks === undefined ? {} : { blocks: [...blocks] }) };
    yield `${JSON.stringify({ ...file, ...numbers })}\n`;
  }
}

/**
 * The coverage of a build: of all its steps and lanes together. Undefined where none was kept. A damaged file is left out, and
 * `warn` told.
 */
export async function readCoverage(folder: string, warn: Warn): Promise<CoverageReport | undefined> {
  const names: string[] = await readdir(folder).catch(ifMissing([] /* no folder: no coverage */));
  const reports: CoverageReport[] = [];
  for (const file of names.filter((name) => name.endsWith(ENDING)).toSorted()) {
    try {
      reports.push(await readKept(join(folder, file)));
    } catch (error) {
      warn({ file, err: error }, "kept coverage cannot be read");
    }
  }
  return mergeCoverage(reports);
}

async function readKept(path: string): Promise<CoverageReport> {
  const source = createReadStream(path);
  const unzipped = source.pipe(createGunzip());
  source.once("error", (error) => unzipped.destroy(error));
  let unit: CoverageTotals["unit"] | undefined;
  const files: FileCoverage[] = [];
  for await (const line of createInterface({ input: unzipped })) {
    if (unit === undefined) unit = Head.parse(JSON.parse(line)).unit;
    else files.push(KeptFile.parse(JSON.parse(line)));
  }
  if (unit === undefined) throw new Error("it is empty");
  return { unit, files };
}
