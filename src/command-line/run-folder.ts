/** `docker-ci run [folder]`: the pipeline of a working directory, here and now, without chat, queue or record. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { promisify } from "node:util";
import { pino } from "pino";
import type { StepResult } from "../builds/build.ts";
import { defaultProject, loadConfig } from "../config.ts";
import { ConfigError, UserError } from "../errors.ts";
import { ProjectName } from "../names.ts";
import { choosePipeline } from "../pipeline/choose.ts";
import { isImageOf } from "../pipeline/image-tag.ts";
import { createMask } from "../pipeline/masking.ts";
import { planBuild, stepLabel } from "../pipeline/plan.ts";
import { failedStep, removeLeftovers, runPipeline } from "../pipeline/run.ts";
import { PIPELINE_FILE } from "../pipeline/schema.ts";
import type { StepLog } from "../pipeline/step-output.ts";
import { Cancelled } from "../pipeline/stop.ts";
import { storeTree } from "../pipeline/tree.ts";
import { filesOf, packFolder } from "../pipeline/working-tree.ts";
import { judgeCoverage } from "../results/coverage-thresholds.ts";
import { percentWords } from "../results/coverage-words.ts";
import { createLateCollector } from "../results/late-collector.ts";
import type { TestSummary } from "../results/summary.ts";
import { mergeSummaries } from "../results/tally.ts";
import { failingLines, testWords } from "../results/test-words.ts";
import { formatDuration } from "../units.ts";
import type { Adapters } from "./adapters.ts";
import { onSignals } from "./signals.ts";

/** @returns 0 when the pipeline passed, 1 when it failed or was interrupted. @throws ConfigError for what cannot be run. */
export async function runFolder(adapters: Adapters, given: string): Promise<number> {
  const folder = resolve(given);
  if (
    !(await stat(folder).then(
      (found) => found.isDirectory(),
      () => false,
    ))
  ) {
    throw new ConfigError("There is nothing to run.", [`${folder} is not a folder`]);
  }
  const config = await loadConfig({ env: process.env, cwd: process.cwd() });
  const name = ProjectName.parse(
    basename(folder)
      .toLowerCase()
      .replace(/[^a-z0-9._-]+/g, "-")
      .replace(/^[^a-z0-9]+/, "")
      .slice(0, 64) || "folder",
  );
  const project = config.projects.get(name) ?? defaultProject(name, folder);
  const run = randomBytes(4).toString("hex");
  const id = `run-${run}`;
  const labels = { "docker-ci.run": run };
  const imageLabels = { "docker-ci.project": name };
  const { runtime, revisions } = adapters.openEngine(config, run, pino({ level: "silent" }));
  const work = await mkdtemp(join(tmpdir(), "docker-ci-run-"));
  const stop = new AbortController();
  const secrets = Object.fromEntries(Object.entries(project.secrets).map(([key, secret]) => [key, secret.reveal()]));
  const mask = createMask(Object.values(secrets));
  const forget = onSignals(() => stop.abort(new Cancelled("you", undefined)));
  const log = terminalLog();
  const startedAt = Date.now();
  try {
    const tarFile = join(work, "tree.tar");
    const tree = await storeTree(
      packFolder(folder, await filesOf(folder)),
      tarFile,
      [PIPELINE_FILE, "Dockerfile"],
      stop.signal,
    );
    const chosen = choosePipeline(project.pipeline, tree.top);
    for (const problem of chosen.problems) await log.line(`── ${problem}`);
    if (chosen.pipeline === undefined) throw new ConfigError("There is nothing to run.", [chosen.reason]);
    const wanted = chosen.pipeline.labels;
    if (wanted.length > 0)
      await log.line(`── asks for a worker with ${wanted.join(" and ")}; it runs here all the same`);
    const results = await runPipeline(
      runtime,
      {
        plan: planBuild(chosen.pipeline, { branch: await branchOf(folder), event: "chat", onlySteps: undefined }),
        tarFile,
        id,
        labels,
        imageLabels,
        attempt: 1,
        project,
        env: { CI: "true", DOCKER_CI_PROJECT: name },
        secrets,
        mask,
        cache: { write: `folder ${folder}` },
        deadlineAt: startedAt + project.limits.timeMs,
        done: [],
        collect: createLateCollector({
          resultsFolder: join(work, "results"),
          artifactsFolder: join(work, "artifacts"),
          coverageHtmlFolder: join(work, "coverage"),
          mask,
          repositoryFiles: tree.files,
        }),
        judge: ({ step }, { coverage }) =>
          step.kind === "run" && coverage !== undefined
            ? judgeCoverage(step.thresholds, coverage, undefined)
            : undefined,
      },
      log,
      { started: async () => undefined, ended: async () => undefined },
      stop.signal,
    );
    const tests = testsOf(results);
    for (const text of tests === undefined ? [] : failingLines(tests)) await log.line(text);
    await log.line(lastLine(name, results, Date.now() - startedAt));
    return failedStep(results) === undefined ? 0 : 1;
  } catch (error) {
    if (!stop.signal.aborted) throw error instanceof UserError ? new ConfigError(error.message, []) : error;
    await log.line("■ interrupted");
    return 1;
  } finally {
    forget();
    await removeLeftovers(runtime, labels);
    for (const { reference } of await runtime.listImages(imageLabels)) {
      if (isImageOf(reference, id)) await runtime.removeImage(reference);
    }
    await revisions[Symbol.asyncDispose]();
    await rm(work, { recursive: true, force: true });
  }
}

/** `✔ hello passed in 4.1s · 6 tests · coverage 92.3%` */
function lastLine(name: string, results: readonly StepResult[], tookMs: number): string {
  const failed = failedStep(results);
  const tests = testsOf(results);
  const coverage = results.flatMap((step) => step.coverage ?? []);
  const facts = [
    failed === undefined
      ? `✔ ${name} passed in ${formatDuration(tookMs)}`
      : `✘ ${name} failed in ${formatDuration(tookMs)}: step ${stepLabel(failed)}, ${failed.meaning ?? ""}`,
    tests === undefined ? "" : testWords(tests),
    ...coverage.map((totals) => `coverage ${percentWords(totals)}`),
  ];
  return facts.filter((fact) => fact !== "").join(" · ");
}

function testsOf(results: readonly StepResult[]): TestSummary | undefined {
  const summaries = results.flatMap(({ tests }) => tests ?? []);
  return summaries.length === 0 ? undefined : mergeSummaries(summaries);
}

/** The branch that is checked out, for `when:`; undefined outside a repository, and between branches. */
async function branchOf(folder: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)("git", ["-C", folder, "symbolic-ref", "--quiet", "--short", "HEAD"]);
    return stdout.trim();
  } catch {
    // git says no: there is none.
    return undefined;
  }
}

/** Standard output as the log of a run; it waits for a reader that is slower. */
function terminalLog(): StepLog {
  let endsWithNewline = true;
  const out = async (bytes: Uint8Array): Promise<void> => {
    if (bytes.length === 0) return;
    endsWithNewline = bytes.at(-1) === 10;
    await new Promise<void>((done) => process.stdout.write(bytes, () => done()));
  };
  return {
    // Nothing is taken up again: it has no positions.
    positionOf: () => undefined,
    startStep: () => undefined,
    endStep: () => undefined,
    line: (text) => out(Buffer.from(`${endsWithNewline ? "" : "\n"}${text}\n`)),
    write: out,
  };
}
