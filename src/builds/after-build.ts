/** What is made of a build when its steps are over: its results, its pages of coverage, and what it says of flaky tests. */
import { stat } from "node:fs/promises";
import type { Logger } from "pino";
import type { Config, Project } from "../config.ts";
import type { Delivery } from "../delivery/delivery.ts";
import { describeError } from "../errors.ts";
import type { FlakyLedger } from "../flaky/ledger.ts";
import { BuildNumber } from "../names.ts";
import { type ConcludeDeps, concludeBuild, type EndedBuild, totalsBefore } from "../results/conclude.ts";
import type { CoverageTotals } from "../results/coverage.ts";
import { drawCoverage } from "../results/coverage-html.ts";
import { openResults, type Results } from "../results/results.ts";
import type { BuildResults } from "../results/summary.ts";
import type { Revisions } from "../revisions.ts";
import { type Build, isFinished } from "./build.ts";
import { revisionName } from "./describe.ts";
import { logsFolder, openLog } from "./log-files.ts";
import { leftBehind } from "./pipeline-of-build.ts";
import type { BuildStore } from "./store.ts";
import { treeFile } from "./tidy.ts";

/** How far back a build of the base branch is looked for. */
const HISTORY_BUILDS = 200;
const CONCLUDE_TIMEOUT_MS = 60_000;

export interface AfterScene {
  readonly config: Pick<Config, "dataDir" | "url">;
  readonly store: BuildStore;
  readonly engine: { readonly revisions: Revisions };
  readonly flaky: FlakyLedger;
  /** On a worker elsewhere: brings the results of earlier builds here. */
  readonly delivery?: Pick<Delivery, "bringResults"> | undefined;
  readonly log: Logger;
}

/** Undefined also where they could not be put together: whatever cannot be told of a build, it ends as it ended. */
export async function resultsOf(scene: AfterScene, ended: EndedBuild): Promise<BuildResults | undefined> {
  try {
    return await concludeBuild(concluding(scene), ended, AbortSignal.timeout(CONCLUDE_TIMEOUT_MS));
  } catch (error) {
    scene.log.error({ err: error, build: ended.build.number }, "the results of a build could not be put together");
    return undefined;
  }
}

/** What a build's coverage will be compared with. */
export function coverageBefore(
  scene: AfterScene,
  about: { readonly build: Build; readonly project: Project },
  signal: AbortSignal,
): Promise<CoverageTotals | undefined> {
  return totalsBefore(concluding(scene), about, signal);
}

function concluding({ store, engine, config, delivery, log }: AfterScene): ConcludeDeps {
  const kept = keptResults(config, log);
  return {
    results: delivery === undefined ? kept : broughtResults(kept, delivery),
    revisions: engine.revisions,
    log,
    history: (project) => store.latest(HISTORY_BUILDS, project),
    openLog: (number) => openLog(logsFolder(config), number),
  };
}

function keptResults({ dataDir }: Pick<Config, "dataDir">, log: Logger): Results {
  return openResults(dataDir, (fields, message) => log.warn(fields, message));
}

/** Of builds that ran elsewhere they are fetched first. */
function broughtResults(kept: Results, { bringResults }: Pick<Delivery, "bringResults">): Results {
  return {
    async *tests(number) {
      await bringResults(BuildNumber.parse(number));
      yield* kept.tests(number);
    },
    async coverage(number) {
      await bringResults(BuildNumber.parse(number));
      return kept.coverage(number);
    },
  };
}

/** After the result was told, for which nobody waits. What an outsider wrote says nothing of a project's tests. */
export async function countFlaky({ flaky, log }: AfterScene, build: Build): Promise<void> {
  if (!isFinished(build) || build.untrusted === true) return;
  try {
    await flaky.record(build, build.steps);
  } catch (error) {
    log.error({ err: error, build: build.number }, "flaky tests could not be counted");
  }
}

/** The sources with what was run of them, where the project makes no pages of its own. Needs the build's checkout. */
export async function drawCoveragePages(scene: AfterScene, number: BuildNumber, signal: AbortSignal): Promise<void> {
  const { store, config, log } = scene;
  const build = await store.get(number);
  if (build?.results?.coverage === undefined) return;
  const { coverage: folder } = leftBehind(config.dataDir, build);
  if (await exists(folder)) return;
  try {
    const report = await keptResults(config, log).coverage(number);
    if (report === undefined) return;
    const heading = { project: build.project, number, revision: revisionName(build) };
    await drawCoverage({ report, tarFile: treeFile(config, number), folder, heading, signal });
  } catch (error) {
    log.warn({ reason: describeError(error), build: number }, "the pages of coverage were not drawn");
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
