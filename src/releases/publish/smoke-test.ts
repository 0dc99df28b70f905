/**
 * The files that will be published are tried before any of them is uploaded (O-163): each step of `smoke_test:` runs in its image, to
 * which a folder with these files was added. Done again after a crash, it begins anew.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, pipeline as pipe, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pack } from "tar-stream";
import { BuildLog } from "../../builds/build-log.ts";
import { maskOf } from "../../builds/inputs.ts";
import { keptLog, removePieces } from "../../builds/log-files.ts";
import { artifactsFolder } from "../../builds/pipeline-of-build.ts";
import { workFolder } from "../../builds/tidy.ts";
import { SMOKE_IMAGE } from "../../config/releases.ts";
import type { SmokeStep } from "../../config.ts";
import { describeError, RuntimeError } from "../../errors.ts";
import { StepName } from "../../names.ts";
import { isImageOf } from "../../pipeline/image-tag.ts";
import { LastLines } from "../../pipeline/last-lines.ts";
import { planBuild, stepIdOf, stepLabel } from "../../pipeline/plan.ts";
import { failedStep, removeLeftovers, runPipeline } from "../../pipeline/run.ts";
import { type Pipeline, toSteps } from "../../pipeline/schema.ts";
import { storeTree } from "../../pipeline/tree.ts";
import { cleanName } from "../../results/clean-name.ts";
import type { ContainerRuntime } from "../../runtime.ts";
import { type ReleaseNumber, releaseName } from "../release.ts";
import { type CollectedFile, openFile } from "./collect.ts";
import type { Publication } from "./scene.ts";
import { smokeLogs } from "./smoke-logs.ts";

/** Where the steps find the files, by the names under which they will be published. */
const FOLDER = "/release";
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
  const artifacts = join(artifactsFolder(scene.config.dataDir), String(release.state.build));
  await storeTree(packFiles(dockerfiles, artifacts, files), tarFile, [], signal);
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

/** Each image once, with the files in it; then the steps, in those images. */
function benchOf(steps: readonly SmokeStep[]): { pipeline: Pipeline; dockerfiles: Map<string, string> } {
  const images = [...new Set(steps.map(({ image }) => image))];
  const nameOf = (image: string): StepName => StepName.parse(`${SMOKE_IMAGE}${images.indexOf(image) + 1}`);
  const built = images.map((image) => ({ name: nameOf(image), image }));
  return {
    dockerfiles: new Map(built.map(({ name, image }) => [name, `FROM ${image}\nCOPY release ${FOLDER}\n`])),
    pipeline: {
      steps: toSteps([
        ...built.map(({ name }) => ({
          name,
          build: { context: ".", dockerfile: name, args: {}, target: undefined },
          allow_failure: false,
        })),
        ...steps.map((step) => ({ ...step, image: nameOf(step.image), allow_failure: false })),
      ]),
      matrix: undefined,
      labels: [],
    },
  };
}

function packFiles(
  dockerfiles: ReadonlyMap<string, string>,
  folder: string,
  files: readonly CollectedFile[],
): Readable {
  const tar = pack();
  const out = pipe(tar, new PassThrough(), () => {
    // The reader of the returned stream gets the error.
  });
  const write = async (): Promise<void> => {
    for (const [name, text] of dockerfiles) tar.entry({ name }, text);
    for (const { path, name, bytes } of files) {
      // What a build left has lost whether it was a program.
      const header = { name: `release/${name}`, size: bytes, mode: 0o555 };
      await pipeline(await openFile(folder, path), tar.entry(header));
    }
    tar.finalize();
  };
  write().catch((error: unknown) => out.destroy(error instanceof Error ? error : new Error(String(error))));
  return out;
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
