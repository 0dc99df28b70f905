/**
 * The files that will be published are tried before any of them is uploaded (O-163): each step of `smoke_test:` runs in its image, to
 * which a folder with these files was added. Done again after a crash, it begins anew.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { BuildLog } from "../../builds/build-log.ts";
import { maskOf } from "../../builds/inputs.ts";
import { keptLog, removePieces } from "../../builds/log-files.ts";
import { workFolder } from "../../builds/tidy.ts";
import { describeError, RuntimeError } from "../../errors.ts";
import { isImageOf } from "../../pipeline/image-tag.ts";
import { LastLines } from "../../pipeline/last-lines.ts";
import { planBuild, stepIdOf, stepLabel } from "../../pipeline/plan.ts";
import { failedStep, removeLeftovers, runPipeline } from "../../pipeline/run.ts";
import { storeTree } from "../../pipeline/tree.ts";
import { cleanName } from "../../results/clean-name.ts";
import type { ContainerRuntime } from "../../runtime.ts";
import { type ReleaseNumber, releaseName } from "../release.ts";
import type { CollectedFile } from "./collect.ts";
import type { Publication } from "./scene.ts";
import { benchOf, packFiles } from "./smoke-bench.ts";
import { smokeLogs } from "./smoke-logs.ts";

/** So much is kept of what they print. */
const LOG_BYTES = 16 * 1024 ** 2;
const TOLD = 3;
const TOLD_LENGTH = 200;

/** Something that was to be published does not do what it should. */
export class SmokeTestError extends RuntimeError {
  /** The last that the step printed. */
  readonly lines: readonly string[];

  constructor(message: string, lines: readonly string[]) {
    super(message, { retryable: false });
    this.lines = lines;
  }
}

/** @throws SmokeTestError for a step that fails, RuntimeError where the engine does. */
export async function smokeTest(publication: Publication, files: readonly CollectedFile[]): Promise<void> {
  const { scene, config, release } = publication;
  const { runtime, instance } = scene;
  if (config.smokeTest.length === 0) return;
  if (runtime === undefined)
    throw new RuntimeError("there is no engine here to run the smoke test with", { retryable: false });
  const { number } = release;
  const labels = { "docker-ci.instance": instance, "docker-ci.release": String(number) };
  const folder = workFolder(scene.config, releaseName(release));
  const logs = smokeLogs(scene.config);
  const clear = async (): Promise<void> => {
    await removeLeftovers(runtime, labels);
    await removeImages(runtime, labels, idOf(instance, number));
    await rm(folder, { recursive: true, force: true });
  };
  await clear();
  await removePieces(logs, number);
  await rm(keptLog(logs, number), { force: true });
  const log = await BuildLog.open({ folder: logs, number, limitBytes: LOG_BYTES });
  try {
    await runSteps(publication, { runtime, labels, log, tarFile: join(folder, "files.tar") }, files);
  } finally {
    await log.close();
    await clear().catch((error: unknown) =>
      scene.log.warn({ release: number, reason: describeError(error) }, "a smoke test left something behind"),
    );
  }
}

interface Bench {
  readonly runtime: ContainerRuntime;
  readonly labels: Readonly<Record<string, string>>;
  readonly log: BuildLog;
  readonly tarFile: string;
}

async function runSteps(
  { scene, config, project, release, signal }: Publication,
  { runtime, labels, log, tarFile }: Bench,
  files: readonly CollectedFile[],
): Promise<void> {
  const { number, plan } = release;
  const { pipeline: steps, dockerfiles } = benchOf(config.smokeTest);
  await storeTree(packFiles(dockerfiles, files), tarFile, [], signal);
  const lastLines = new Map<string, LastLines>();
  const results = await runPipeline(
    runtime,
    {
      plan: planBuild(steps, { branch: undefined, event: "release", onlySteps: undefined }),
      tarFile,
      id: idOf(scene.instance, number),
      labels,
      imageLabels: labels,
      attempt: 1,
      project,
      env: {
        CI: "true",
        DOCKER_CI_PROJECT: plan.project,
        DOCKER_CI_REVISION: plan.sha,
        DOCKER_CI_RELEASE: releaseName(release),
        DOCKER_CI_VERSION: plan.version,
      },
      secrets: {},
      mask: maskOf(project),
      cache: undefined,
      deadlineAt: Date.now() + project.limits.timeMs,
      done: [],
      watch(step) {
        const last = new LastLines(undefined);
        lastLines.set(step, last);
        return { push: (bytes) => last.push({ stream: "stdout", bytes }) };
      },
    },
    log,
    { started: async () => undefined, ended: async () => undefined },
    signal,
  );
  const failed = failedStep(results);
  if (failed === undefined) return;
  const printed = (lastLines.get(stepIdOf(failed))?.read() ?? []).map((line) => cleanName(line).trim());
  const told = printed.filter((line) => line !== "").slice(-TOLD);
  throw new SmokeTestError(
    `step ${stepLabel(failed)}, ${failed.meaning ?? "failed"}`,
    told.map((line) => line.slice(0, TOLD_LENGTH)),
  );
}

async function removeImages(runtime: ContainerRuntime, labels: Bench["labels"], id: string): Promise<void> {
  for (const { reference } of await runtime.listImages(labels)) {
    if (isImageOf(reference, id)) await runtime.removeImage(reference);
  }
}

/** No build has such a one. */
function idOf(instance: string, number: ReleaseNumber): string {
  return `${instance}-r${number}`;
}
