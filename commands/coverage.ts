/** `!coverage`: how much of a project its tests run, how that develops, and where least. */
import { z } from "zod";
import type { Build, FinishedBuild } from "../src/builds/build.ts";
import { isFinished, isWhole } from "../src/builds/build.ts";
import { SHORT_SHA } from "../src/builds/describe.ts";
import { sparkline } from "../src/charts/sparkline.ts";
import { defineCommand } from "../src/chat/command.ts";
import { type Chart, type Line, line, type Reply, say } from "../src/chat/reply.ts";
import type { Project } from "../src/config.ts";
import { type CoverageReport, coveragePercent } from "../src/results/coverage.ts";
import { byFolder, leastCovered } from "../src/results/coverage-folders.ts";
import { changeWords, patchWords, percentWords } from "../src/results/coverage-words.ts";
import type { CoverageResult } from "../src/results/summary.ts";
import { suiteLabel } from "../src/results/test-case.ts";

/** How many builds the bars and the chart show. */
const CHARTED = 20;
/** What is looked through for them, since not every build is of the main branch and has coverage. */
const LOOKED_AT = 100;
const LEAST = 5;
/** A list of more is three lines and a link. */
const LINES_MAX = 5;
const LINES_OF_MANY = 3;
const PATH_LENGTH = 60;

const HOW =
  "coverage: in .docker-ci.yml names the report that a step writes: lcov, Cobertura, Clover, a Go cover profile or Istanbul's JSON";

/** A finished build with coverage. */
interface Covered {
  readonly build: FinishedBuild;
  readonly coverage: CoverageResult;
}

export const coverage = defineCommand({
  name: "coverage",
  summary: "How much of a project its tests run: the total, its change and trend, and what is covered least.",
  examples: ["!coverage", "!coverage docker-registry"],
  args: z.strictObject({ project: z.string().optional() }),
  async run({ args, builds, results, config }) {
    if (args.project !== undefined) {
      const project = builds.project(args.project);
      const covered = coveredBuilds(await builds.latest(LOOKED_AT, project.name), project);
      const [newest] = covered;
      if (newest === undefined) return say("info", [`${project.name} has no coverage so far`, HOW]);
      const report = await results.coverage(newest.build.number);
      return ofProject(covered, newest, report === undefined ? "" : leastWords(report), config.url);
    }
    const newest = await Promise.all(
      [...config.projects.values()].map(async (project) => {
        return coveredBuilds(await builds.latest(LOOKED_AT, project.name), project)[0];
      }),
    );
    return ofAll(
      newest.filter((each) => each !== undefined),
      config.url,
    );
  },
});

/** Those of the main branch, newest first; where there are none, those of any branch. */
function coveredBuilds(newestFirst: readonly Build[], { branch }: Pick<Project, "branch">): Covered[] {
  const all = newestFirst.filter(isFinished).flatMap((build) => {
    const found = build.results?.coverage;
    return found === undefined || !isWhole(build) ? [] : [{ build, coverage: found }];
  });
  const main = all.filter(({ build }) => build.revision?.kind === "branch" && build.revision.ref === branch);
  return main.length > 0 ? main : all;
}

function ofProject(covered: readonly Covered[], newest: Covered, least: string, url: string): Reply {
  // A part of the tests would look like a fall.
  const whole = covered.filter((each) => each.coverage.partial !== true);
  const trend = whole.slice(0, CHARTED).toReversed();
  const percents = trend.map((each) => coveragePercent(each.coverage.totals) ?? Number.NaN);
  const bars = trend.length > 1 ? ` ${sparkline(percents)}` : "";
  const facts = [`${totalWords(newest)}${bars}`, patchWords(newest.coverage), least === "" ? "" : `least: ${least}`];
  const lines = [line("info", facts, linkOf(newest, url))];
  const chart = chartOf(trend);
  return chart === undefined ? { lines } : { lines, chart };
}

function ofAll(newest: readonly Covered[], url: string): Reply {
  if (newest.length === 0) return say("info", ["no project has coverage so far", HOW]);
  const lineOf = (covered: Covered): Line => line("info", [totalWords(covered)], linkOf(covered, url));
  if (newest.length <= LINES_MAX) return { lines: newest.map(lineOf) };
  const rest = line("info", [`${newest.length - LINES_OF_MANY} more`], url);
  return { lines: [...newest.slice(0, LINES_OF_MANY).map(lineOf), rest] };
}

/** `docker-registry 61.9% of statements at main 0d6b721 (+0.2 since #41)` */
function totalWords({ build, coverage: found }: Covered): string {
  const change = changeWords(found);
  const since = found.change.kind === "since" && change !== "" ? ` since #${found.change.build}` : "";
  const part = found.partial === true ? "in part, as tests failed" : "";
  const remarks = [`${change}${since}`, part].filter((remark) => remark !== "").join(", ");
  const { ref = build.ref, sha = "" } = build.revision ?? {};
  const at = [build.revision?.kind === "commit" ? "" : ref, sha.slice(0, SHORT_SHA)]
    .filter((each) => each !== "")
    .join(" ");
  const total = `${build.project} ${percentWords(found.totals)} of ${found.totals.unit} at ${at}`;
  return remarks === "" ? total : `${total} (${remarks})`;
}

/** The least covered files; of Go, which alone counts statements, the least covered packages. */
function leastWords(report: CoverageReport): string {
  const folders = report.unit === "statements" ? byFolder(report) : [];
  const parts = folders.length > 1 ? leastCovered(folders) : leastCovered(report.files);
  const missing = parts.filter(({ covered, total }) => covered < total).slice(0, LEAST);
  return missing.map((part) => `${shortPath(suiteLabel(part.path))} ${percentWords(part)}`).join(", ");
}

/** A path's end tells more than its beginning. */
function shortPath(path: string): string {
  return path.length <= PATH_LENGTH ? path : `…${path.slice(1 - PATH_LENGTH)}`;
}

function chartOf(trend: readonly Covered[]): Chart | undefined {
  const [first] = trend;
  if (first === undefined || trend.length < 2) return undefined;
  const points = trend.flatMap(({ build, coverage: { totals } }) => {
    const value = coveragePercent(totals);
    return value === undefined ? [] : [{ label: `#${build.number}`, value, tone: build.state.kind }];
  });
  if (points.length < 2) return undefined;
  return { title: `${first.build.project}: coverage of the last ${points.length} builds`, unit: "percent", points };
}

function linkOf({ build }: Covered, url: string): string {
  return `${url}/coverage/${build.project}/${build.number}/`;
}
