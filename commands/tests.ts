/** `!tests`: how the tests of a build went, and what changed since the build it is compared with. */
import { z } from "zod";
import { type Build, isFinished } from "../src/builds/build.ts";
import { buildUrl } from "../src/builds/describe.ts";
import { BuildArgument } from "../src/chat/build-argument.ts";
import { defineCommand } from "../src/chat/command.ts";
import { type Line, line, type Reply, say, type Tone } from "../src/chat/reply.ts";
import { UserError } from "../src/errors.ts";
import { shownTest } from "../src/flaky/shown-test.ts";
import { type ComparedTests, compareTests } from "../src/results/compare-tests.ts";
import type { Results } from "../src/results/results.ts";
import type { TestComparison, TestSummary } from "../src/results/summary.ts";
import { mergeSummaries } from "../src/results/tally.ts";
import { type FailingTest, type TestName, testKey } from "../src/results/test-case.ts";
import { comparisonWords, flakyWords } from "../src/results/test-words.ts";
import { formatCount, formatDuration } from "../src/units.ts";

/** Below the summary; a list of more is three lines and how many are left. */
const LINES_MAX = 4;
const LINES_OF_MANY = 3;
const MESSAGE_LENGTH = 200;

const HOW = "tests: in .docker-ci.yml names the files that a step writes, JUnit XML or go test -json";

export const tests = defineCommand({
  name: "tests",
  summary: "How the tests of a build went: which fail, which are slow, and what changed since the build before.",
  examples: ["!tests 43", "!tests 43 slow", "!tests 43 fixed"],
  args: z.strictObject({
    build: BuildArgument,
    show: z
      .enum(["failed", "slow", "new", "fixed", "gone"], "failed, slow, new, fixed or gone")
      .optional()
      .meta({ label: "failed, slow, new, fixed or gone" }),
  }),
  async run({ args, builds, results, config }) {
    const build = await builds.get(args.build);
    const link = buildUrl(config.url, build.number);
    const summary = summaryOf(build);
    if (summary === undefined) return withoutReport(build, link);
    const recorded = build.results?.comparison;
    const { show } = args;
    const asksForChange = show === "new" || show === "fixed" || show === "gone";
    if (asksForChange && recorded === undefined) {
      throw new UserError(`The tests of #${build.number} are not compared with those of another build.`);
    }
    const compared = recorded === undefined || show === "slow" ? undefined : await compare(results, build, recorded);
    const lines = ((): Line[] => {
      switch (show) {
        case "slow":
          return slowest(summary);
        case "new":
          return names("new", compared?.added, recorded?.added);
        case "fixed":
          return names("fixed", compared?.fixed, recorded?.fixed);
        case "gone":
          return names("gone", compared?.gone, recorded?.gone);
        case "failed":
        case undefined:
          return failing(summary, compared);
        default:
          return show satisfies never;
      }
    })();
    return { lines: [summaryLine(build, summary, recorded, link), ...lines] };
  },
});

/** Of a build under way, what its steps that are over came to. */
function summaryOf(build: Build): TestSummary | undefined {
  if (build.results?.tests !== undefined) return build.results.tests;
  const steps = build.steps.flatMap(({ tests: ofStep }) => ofStep ?? []);
  return steps.length === 0 ? undefined : mergeSummaries(steps);
}

function withoutReport(build: Build, link: string): Reply {
  if (!isFinished(build)) return say("info", [`${build.project} #${build.number} has no test report yet`], link);
  const warnings = build.steps.flatMap(({ warnings: ofStep }) => ofStep ?? []);
  // Of what could not run nobody can tell whether it names one.
  const why = build.state.kind === "errored" ? "it could not run" : HOW;
  return say("info", [`${build.project} #${build.number} has no test report`, warnings[0] ?? why], link);
}

/** Undefined where the tests of one of the two are not kept here any more. */
async function compare(
  results: Results,
  build: Build,
  { against }: TestComparison,
): Promise<ComparedTests | undefined> {
  const compared = await compareTests(results.tests(against), results.tests(build.number));
  return compared.before === 0 || compared.now === 0 ? undefined : compared;
}

function summaryLine(
  { project, number }: Build,
  summary: TestSummary,
  comparison: TestComparison | undefined,
  link: string,
): Line {
  const { total, failed, skipped } = summary;
  const whole = `${formatCount(total)} ${total === 1 ? "test" : "tests"}`;
  const tone: Tone = failed > 0 ? "failed" : "passed";
  return line(
    tone,
    [
      `${project} #${number} ${failed > 0 ? `${formatCount(failed)} of ${whole} failed` : `${whole}, none failed`}`,
      skipped === 0 ? "" : `${formatCount(skipped)} skipped`,
      flakyWords(summary),
      comparison === undefined ? "" : `compared with #${comparison.against}: ${comparisonWords(comparison)}`,
    ],
    link,
  );
}

/** Those that fail since this build first. */
function failing({ failing: recorded, failed }: TestSummary, compared: ComparedTests | undefined): Line[] {
  if (compared === undefined) return list(recorded, failed, (test) => failure("", test));
  const fresh = new Set(compared.newlyFailing.map(testKey));
  const ordered = [...compared.newlyFailing, ...compared.stillFailing];
  return list(ordered, failed, (test) =>
    failure(fresh.has(testKey(test)) ? "newly failing: " : "still failing: ", test),
  );
}

function failure(word: string, test: FailingTest): Line {
  const said = test.message?.split("\n", 1)[0]?.trim() ?? "";
  return line("info", [`${word}${shownTest(test)}${said === "" ? "" : `: ${cut(said, MESSAGE_LENGTH)}`}`]);
}

function slowest({ slowest: recorded }: TestSummary): Line[] {
  const shown = recorded.slice(0, LINES_MAX);
  if (shown.length === 0) return [line("info", ["its report has no times"])];
  return shown.map((test) => line("info", [`${formatDuration(test.durationMs)} ${shownTest(test)}`]));
}

function names(word: string, tests: readonly TestName[] | undefined, count = 0): Line[] {
  if (count === 0) return [line("info", [`no test is ${word}`])];
  if (tests === undefined) return [line("info", ["their names are not kept here any more"])];
  return list(tests, count, (test) => line("info", [`${word}: ${shownTest(test)}`]));
}

function list<Test>(tests: readonly Test[], count: number, shown: (test: Test) => Line): Line[] {
  const lines = tests.slice(0, Math.max(count, tests.length) > LINES_MAX ? LINES_OF_MANY : LINES_MAX).map(shown);
  const left = count - lines.length;
  return left > 0 ? [...lines, line("info", [`and ${formatCount(left)} more`])] : lines;
}

function cut(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join("")}…`;
}
