/** The tests of a build as they are kept in its results folder: one file a step and try, a test on each line, compressed. */
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { describeError, RuntimeError } from "../errors.ts";
import { ifMissing } from "../missing.ts";
import type { StepId } from "../names.ts";
import { textLines } from "./report-text.ts";
import type { TestSummary } from "./summary.ts";
import { Tally } from "./tally.ts";
import { TestCase } from "./test-case.ts";

/** `tests.2.tests.jsonl.gz`; of a second try `tests.2.tests-2.jsonl.gz`. */
const FILE = /^(?<step>[a-z0-9][a-z0-9_-]{0,39}(?:\.[1-9]\d{0,2})?)\.tests(?:-(?<tries>[1-9]\d*))?\.jsonl\.gz$/;
const BATCH = 500;

export interface KeptTests {
  add(batch: readonly TestCase[]): Promise<void>;
  /** Closes the file and gives it its name. @returns the summary of all that was added, with at most 1,000 failing tests. */
  end(): Promise<TestSummary>;
  /** Gives up: nothing is left of the file. */
  abandon(): Promise<void>;
}

/** A test with the id of the step that ran it. */
export type StepTest = TestCase & { readonly step: string };

/**
 * Opens the file of a step's tests, and makes the folder where it is missing. Until `end` it has another name (`.part`).
 * @throws RuntimeError from any of its methods when the disk fails.
 */
export async function keepTests(folder: string, step: StepId, tries: number): Promise<KeptTests> {
  const path = join(folder, `${step}.tests${tries > 1 ? `-${tries}` : ""}.jsonl.gz`);
  const part = `${path}.part`;
  const gzip = createGzip({ level: 4 });
  const tally = new Tally();
  const failed = (cause: unknown): RuntimeError => new RuntimeError("the test results cannot be kept", { cause });
  await mkdir(folder, { recursive: true }).catch((error: unknown) => Promise.reject(failed(error)));
  const written = pipeline(gzip, createWriteStream(part));
  // A fault of the disk is thrown by the next call; until there is one, it must not be an unhandled rejection.
  written.catch(() => undefined);
  return {
    async add(batch) {
      const lines: string[] = [];
      for (const test of batch) {
        tally.add(test);
        lines.push(JSON.stringify(test));
      }
      if (lines.length === 0) return;
      try {
        if (!gzip.write(`${lines.join("\n")}\n`)) await Promise.race([once(gzip, "drain"), written]);
      } catch (error) {
        throw failed(error);
      }
    },
    async end() {
      try {
        gzip.end();
        await written;
        await rename(part, path);
      } catch (error) {
        throw failed(error);
      }
      return tally.summary();
    },
    async abandon() {
      gzip.destroy();
      await written.catch(() => undefined /* that is what destroying it says */);
      await rm(part, { force: true });
    },
  };
}

/** What is said about a file that cannot be read. */
export type Warn = (fields: { readonly file: string; readonly err: unknown }, message: string) => void;

/**
 * The tests of a build, some at a time: the last try of each step, step by step. Nothing where nothing was kept. Of a damaged file
 * what can be read is given, and `warn` told.
 */
export async function* readTests(folder: string, warn: Warn): AsyncGenerator<readonly StepTest[], void, undefined> {
  for (const { file, step } of await lastTries(folder)) {
    try {
      for await (const batch of testsIn(join(folder, file))) yield batch.map((test) => ({ ...test, step }));
    } catch (error) {
      warn({ file, err: error }, "kept tests cannot be read");
    }
  }
}

async function lastTries(folder: string): Promise<{ file: string; step: string }[]> {
  const names: string[] = await readdir(folder).catch(ifMissing([] /* no folder: no tests */));
  const last = new Map<string, { file: string; tries: number }>();
  for (const file of names.toSorted()) {
    const { step, tries = "1" } = FILE.exec(file)?.groups ?? {};
    if (step !== undefined && Number(tries) >= (last.get(step)?.tries ?? 0)) {
      last.set(step, { file, tries: Number(tries) });
    }
  }
  return [...last].map(([step, { file }]) => ({ file, step }));
}

async function* testsIn(path: string): AsyncGenerator<TestCase[], void, undefined> {
  const unpacked = createGunzip();
  const read = pipeline(createReadStream(path), unpacked);
  // Whoever iterates over `unpacked` gets the error.
  read.catch(() => undefined);
  try {
    let batch: TestCase[] = [];
    for await (const lines of textLines(unpacked)) {
      for (const line of lines) {
        if (line === "") continue;
        batch.push(parseKept(line));
        if (batch.length >= BATCH) {
          yield batch;
          batch = [];
        }
      }
    }
    yield batch;
  } finally {
    unpacked.destroy();
  }
}

function parseKept(line: string): TestCase {
  try {
    return TestCase.parse(JSON.parse(line));
  } catch (error) {
    throw new Error(`it has a line that is no test (${describeError(error).slice(0, 200)})`, { cause: error });
  }
}
