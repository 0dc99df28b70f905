/** The run of a build's pipeline: what its steps are given, what is taken out of them, and what they are judged by. */
import { join } from "node:path";
import type { Config, Project } from "../config.ts";
import type { Quarantine } from "../flaky/quarantine.ts";
import { tooShort } from "../pipeline/masking.ts";
import type { PipelineRun } from "../pipeline/pipeline-run.ts";
import type { Plan } from "../pipeline/plan.ts";
import type { Tree } from "../pipeline/tree.ts";
import type { CoverageTotals } from "../results/coverage.ts";
import { type CoverageMarker, createMarkerScan, markerFolder } from "../results/coverage-markers.ts";
import { judgeCoverage } from "../results/coverage-thresholds.ts";
import { createLateCollector } from "../results/late-collector.ts";
import { resultsFolder } from "../results/results.ts";
import type { Revision } from "../revisions.ts";
import type { Build } from "./build.ts";
import { grantedTo, inputsOf } from "./inputs.ts";
import { buildLabels, imageLabels } from "./tidy.ts";

/** Where what a build leaves behind is kept. */
export function leftBehind(dataDir: string, { number, project }: Pick<Build, "number" | "project">) {
  return {
    results: resultsFolder(dataDir, number),
    artifacts: join(artifactsFolder(dataDir), String(number)),
    /** Pages: the project's own, else ours. */
    coverage: join(coverageFolder(dataDir), project, String(number)),
  };
}

/** Pages of coverage, by project and build. */
export function coverageFolder(dataDir: string): string {
  return join(dataDir, "docker-ci", "coverage");
}

/** Files that builds left behind, by build. */
export function artifactsFolder(dataDir: string): string {
  return join(dataDir, "docker-ci", "artifacts");
}

export interface BuildScene {
  readonly config: Pick<Config, "dataDir" | "url">;
  readonly instance: string;
  readonly quarantine: Quarantine;
}

export interface RunOfBuild {
  readonly build: Build;
  readonly revision: Revision;
  readonly project: Project;
  readonly plan: Plan;
  readonly tree: Tree;
  /** Counted from 1, over workers and tries. */
  readonly attempt: number;
  readonly deadlineAt: number;
  /** What the coverage is compared with, where there is something. */
  readonly coverageBefore: CoverageTotals | undefined;
}

/**
 * @returns the run, sentences for the log about what cannot be done as it was asked, and afterwards the reports that steps announced in
 * their output.
 */
export async function runOfBuild(
  { config, instance, quarantine }: BuildScene,
  { build, revision, project, plan, tree, attempt, deadlineAt, coverageBefore }: RunOfBuild,
): Promise<{ run: PipelineRun; remarks: string[]; announced: () => CoverageMarker[] }> {
  const { env, secrets, mask, cache } = inputsOf(build, revision, project, config.url);
  const folders = leftBehind(config.dataDir, build);
  const scans = new Map<string, ReturnType<typeof createMarkerScan>>();
  const excuses = await quarantine.load(build.project);
  const run: PipelineRun = {
    plan,
    tarFile: tree.tarFile,
    id: `${instance}-${build.number}`,
    labels: buildLabels(instance, build),
    imageLabels: imageLabels(instance, build.project),
    attempt,
    project: grantedTo(build, project),
    isUntrusted: build.untrusted === true,
    env,
    secrets,
    mask,
    cache,
    deadlineAt,
    done: build.steps,
    collect: createLateCollector({
      resultsFolder: folders.results,
      artifactsFolder: folders.artifacts,
      coverageHtmlFolder: folders.coverage,
      mask,
      repositoryFiles: tree.files,
      announcedPages: (step) => scans.get(step)?.markers().map(markerFolder) ?? [],
    }),
    judge: ({ step }, { coverage }) =>
      step.kind === "run" && coverage !== undefined
        ? judgeCoverage(step.thresholds, coverage, coverageBefore)
        : undefined,
    isExcused: (findings) => excuses.isExcused(findings),
    watch: (step) => {
      const scan = createMarkerScan();
      scans.set(step, scan);
      return scan;
    },
  };
  const announced = () => [...scans.values()].flatMap((scan) => scan.markers());
  return { run, remarks: remarksOn(project), announced };
}

function remarksOn({ secrets }: Project): string[] {
  return Object.entries(secrets)
    .filter(([, secret]) => tooShort([secret.reveal()]).length > 0)
    .map(([name]) => `the secret ${name} is too short to be hidden in the log`);
}
