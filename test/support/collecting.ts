/** Collecting from a container that answers with whatever tar a test makes. */

import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { type Header, pack } from "tar-stream";
import { StepId } from "../../src/names.ts";
import type { PlannedStep } from "../../src/pipeline/plan.ts";
import { PipelineSchema, type RunStep } from "../../src/pipeline/schema.ts";
import { BrokenReport } from "../../src/results/broken-report.ts";
import type { CoverageReport } from "../../src/results/coverage.ts";
import { keepTests } from "../../src/results/kept-tests.ts";
import type { ReportParsers } from "../../src/results/step-reports.ts";
import type { TestCase } from "../../src/results/test-case.ts";
import type { RunningContainer } from "../../src/runtime.ts";

/** A step that leaves these things behind. */
export function leaving(
  { tests = [], artifacts = [], ...rest }: Partial<Pick<RunStep, "tests" | "coverage" | "coverageHtml" | "artifacts">>,
  name = "tests",
): PlannedStep {
  const [step] = PipelineSchema.parse({ steps: [{ name, image: "node:20", run: "true" }] }).steps;
  if (step?.kind !== "run") throw new Error("that is no step that runs");
  const id = StepId.parse(name);
  return { id, step: { ...step, tests, artifacts, ...rest }, lane: undefined, needs: [], leftOut: undefined };
}

export type Entry = Partial<Header> & { readonly name: string; readonly text?: string; readonly bytes?: Buffer };

/** A tar as the engine makes it. */
export function tarOfEntries(entries: readonly Entry[]): Promise<Buffer> {
  const tar = pack();
  for (const { text, bytes, ...header } of entries) {
    const content = bytes ?? text;
    if (content === undefined) tar.entry(header);
    else tar.entry(header, content);
  }
  tar.finalize();
  return buffer(Readable.from(tar, { objectMode: false }));
}

/** A file of one byte, then one that goes on for ever, and says so: ten terabytes. */
export function endlessTar(): Readable {
  const tar = pack();
  tar.entry({ name: "out/a" }, "a");
  const huge = tar.entry({ name: "out/huge", size: 1e13 });
  const more = (): void => {
    while (huge.write(Buffer.alloc(65_536)));
  };
  huge.on("drain", more);
  huge.on("error", () => undefined);
  more();
  return Readable.from(tar, { objectMode: false });
}

const unused = (): never => {
  throw new Error("nothing asks for that here");
};

export interface FakeContainer extends RunningContainer {
  /** The paths that were copied out, in order. */
  readonly asked: readonly string[];
}

/** An ended container with these tars at these paths, and /src to work in. */
export function containerWith(
  tars: Readonly<Record<string, Uint8Array | (() => Readable)>>,
  { exitCode = 0, workingDirectory = "/src" } = {},
): FakeContainer {
  const asked: string[] = [];
  return {
    id: "0123456789ab",
    name: "fake",
    labels: {},
    asked,
    output: unused,
    stop: unused,
    exec: unused,
    diskBytes: unused,
    usage: unused,
    remove: unused,
    wait: async () => ({ exitCode, outOfMemory: false, startedAt: new Date(0), finishedAt: new Date(1) }),
    workingDirectory: async () => workingDirectory,
    async copyOut(path) {
      asked.push(path);
      const tar = tars[path];
      if (tar === undefined) return undefined;
      return typeof tar === "function" ? tar() : Readable.from(pieces(tar), { objectMode: false });
    },
  };
}

function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000);
}

/** Reports of one line a thing: `passed name`, `failed name: message`, `covered path 1/2`; `BROKEN` breaks one. */
export const plainReports: ReportParsers = {
  keepTests,
  async *readTestReport(source) {
    let number = 0;
    for await (const line of createInterface({ input: source })) {
      number += 1;
      if (line === "BROKEN") throw new BrokenReport(`is cut off at line ${number}`);
      const match = /^(?<state>passed|failed) (?<name>[^:]*)(?:: (?<message>.*))?$/.exec(line)?.groups;
      if (match?.name === undefined) throw new BrokenReport("is no test report");
      const state: TestCase["state"] = match.state === "failed" ? "failed" : "passed";
      const message = match.message === undefined ? {} : { message: match.message };
      yield [{ suite: "", name: match.name, state, durationMs: 1, ...message }];
    }
  },
  async readCoverageReport(source) {
    const files: CoverageReport["files"][number][] = [];
    for await (const line of createInterface({ input: source })) {
      const [, path, covered, total] = /^covered (\S+) (\d+)\/(\d+)$/.exec(line) ?? [];
      if (path === undefined) throw new BrokenReport("is no coverage report");
      const lines = Uint32Array.from({ length: Number(total) }, (_, index) => index + 1);
      const hits = lines.map((line) => (line <= Number(covered) ? 1 : 0));
      files.push({ path, covered: Number(covered), total: Number(total), lines, hits });
    }
    return { unit: "lines", files };
  },
  mergeCoverage: (reports) => ({ unit: "lines", files: reports.flatMap(({ files }) => files) }),
  normalisePaths: (report) => report,
  async keepCoverage(_folder, _step, { unit, files }) {
    const sum = (of: "covered" | "total") => files.reduce((so, file) => so + file[of], 0);
    return { unit, covered: sum("covered"), total: sum("total") };
  },
};
