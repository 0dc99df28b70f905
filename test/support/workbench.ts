/** Runs of pipelines on the real engine, without queue, chat or record. */
import type { StepResult } from "../../src/builds/build.ts";
import { defaultProject } from "../../src/config/project.ts";
import { ProjectName, type StepName } from "../../src/names.ts";
import { planBuild } from "../../src/pipeline/plan.ts";
import { type PipelineProgress, type PipelineRun, runPipeline } from "../../src/pipeline/run.ts";
import { parsePipeline } from "../../src/pipeline/schema.ts";
import type { ContainerRuntime } from "../../src/runtime.ts";
import { BASE_IMAGE, type Corner, never, openCorner } from "./docker.ts";
import { MemoryLog } from "./step-log.ts";
import { type TestTree, treeOf } from "./tree.ts";

export const PROJECT = defaultProject(ProjectName.parse("hello"), "/nowhere");
/** Small enough that many tests fit on a machine; no network unless a test is about it, since each takes time. */
export const LIMITS = { ...PROJECT.limits, memoryBytes: 256 * 1024 ** 2, pids: 200, logBytes: 1024 ** 2 };

const QUIET: PipelineProgress = { started: async () => undefined, ended: async () => undefined };

type Changes = Partial<PipelineRun> & { readonly onlySteps?: readonly StepName[] };

export interface Workbench extends AsyncDisposable {
  readonly corner: Corner;
  readonly log: MemoryLog;
  run(
    pipeline: string,
    changes?: Changes,
    signal?: AbortSignal,
    progress?: PipelineProgress,
  ): Promise<readonly StepResult[]>;
  /** Only the state and the meaning of each step: `tests failed: exit 3`. */
  ends(pipeline: string, changes?: Changes): Promise<string[]>;
}

export async function openWorkbench(
  files: Readonly<Record<string, string>> = {},
  changed: (runtime: ContainerRuntime) => Partial<ContainerRuntime> = () => ({}),
  corner: Corner = openCorner(),
): Promise<Workbench> {
  const tree: TestTree = await treeOf({ "README.md": "", ...files });
  const log = new MemoryLog();
  const run: Workbench["run"] = (pipeline, { onlySteps, ...changes } = {}, signal = never, progress = QUIET) =>
    runPipeline(
      { ...corner.runtime, ...changed(corner.runtime) },
      {
        plan: planBuild(parsePipeline(pipeline), { branch: "main", event: "push", onlySteps }),
        tarFile: tree.tarFile,
        id: corner.name("1"),
        labels: corner.labels,
        imageLabels: corner.labels,
        attempt: 1,
        project: { ...PROJECT, network: "none", limits: LIMITS },
        env: { CI: "true" },
        secrets: {},
        mask: undefined,
        cache: undefined,
        deadlineAt: Date.now() + 60_000,
        done: [],
        ...changes,
      },
      log,
      progress,
      signal,
    );
  return {
    corner,
    log,
    run,
    async ends(pipeline, changes) {
      const results = await run(pipeline, changes);
      return results.map(
        ({ name, state, meaning }) => `${name} ${state}${meaning === undefined ? "" : `: ${meaning}`}`,
      );
    },
    async [Symbol.asyncDispose]() {
      await corner[Symbol.asyncDispose]();
      await tree[Symbol.asyncDispose]();
    },
  };
}

/** One run step of that name in the base image. */
export const step = (run: string, more = "", name = "tests") =>
  `- { name: ${name}, image: ${BASE_IMAGE}, run: ${JSON.stringify(run)}${more === "" ? "" : `, ${more}`} }`;
export const steps = (...lines: readonly string[]) => `steps:\n${lines.map((line) => `  ${line}`).join("\n")}\n`;
