/** `docker-ci run [folder]`: the pipeline of a working directory, here and now, without chat, queue or record. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { pino } from "pino";
import { defaultProject, loadConfig } from "../config.ts";
import { ConfigError, UserError } from "../errors.ts";
import { ProjectName } from "../names.ts";
import { choosePipeline } from "../pipeline/choose.ts";
import { isImageOf } from "../pipeline/image-tag.ts";
import { planBuild } from "../pipeline/plan.ts";
import { failedStep, removeLeftovers, runPipeline } from "../pipeline/run.ts";
import { PIPELINE_FILE } from "../pipeline/schema.ts";
import type { StepLog } from "../pipeline/step-output.ts";
import { Cancelled } from "../pipeline/stop.ts";
import { storeTree } from "../pipeline/tree.ts";
import { filesOf, packFolder } from "../pipeline/working-tree.ts";
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
    const results = await runPipeline(
      runtime,
      {
        plan: planBuild(chosen.pipeline, { branch: undefined, event: "chat", onlySteps: undefined }),
        tarFile,
        id,
        labels,
        imageLabels,
        attempt: 1,
        project,
        env: { CI: "true", DOCKER_CI_PROJECT: name },
        secrets: {},
        mask: undefined,
        cache: { write: `folder ${folder}` },
        deadlineAt: startedAt + project.limits.timeMs,
        done: [],
      },
      log,
      { started: async () => undefined, ended: async () => undefined },
      stop.signal,
    );
    const failed = failedStep(results);
    const took = formatDuration(Date.now() - startedAt);
    await log.line(
      failed === undefined
        ? `✔ ${name} passed in ${took}`
        : `✘ ${name} failed in ${took}: step ${failed.name}, ${failed.meaning ?? ""}`,
    );
    return failed === undefined ? 0 : 1;
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
