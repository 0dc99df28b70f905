/** Builds in words, in the order that FACE.md fixes: project, number, word, time, revision and author, what failed, link. */
import { type Action, type Line, line, type Reply } from "../chat/reply.ts";
import { TRIGGER_NETWORK } from "../names.ts";
import { stepLabel } from "../pipeline/plan.ts";
import { coverageWords } from "../results/coverage-words.ts";
import { packageTable, packageWords } from "../results/packages.ts";
import { flakyWords, testWords } from "../results/test-words.ts";
import type { Revision } from "../revisions.ts";
import { formatDuration } from "../units.ts";
import { failureWords } from "../why/words.ts";
import { type Build, durationMs, type FinishedBuild, isFinished, type StepResult } from "./build.ts";
import { keptWords } from "./kept-words.ts";
import { artifactPath, picturesOf } from "./pictures.ts";
import { pullRequestName } from "./pull-request.ts";

const TITLE_LENGTH = 50;
const QUOTE_LENGTH = 300;
export const SHORT_SHA = 7;

/** `https://ci.example.org/builds/42` */
export function buildUrl(url: string, number: number): string {
  return `${url}/builds/${number}`;
}

/** What everything said about a build is filed under, so that a chat that can edit says it in one message. */
export function buildKey(number: number): string {
  return `build-${number}`;
}

/** `ada on libera`; what docker-ci asks for by itself is on no network: `push`, `night`. */
export function requesterName({ name, network }: Build["requester"]): string {
  return network === TRIGGER_NETWORK ? name : `${name} on ${network}`;
}

/** Cut at 50 characters with `…`, one line. */
export function shortTitle(title: string): string {
  const one = title.replace(/\s+/g, " ").trim();
  const characters = [...one];
  return characters.length <= TITLE_LENGTH ? one : `${characters.slice(0, TITLE_LENGTH - 1).join("")}…`;
}

/** `main 0d6b721`, `PR#12 3f2c9aa into main 0d6b721`; a commit that was asked for by its name stands alone. */
export function revisionName(build: Pick<Build, "ref" | "revision">): string {
  if (build.revision === undefined) return build.ref;
  const sha = build.revision.sha.slice(0, SHORT_SHA);
  const { pullRequest } = build.revision;
  if (pullRequest !== undefined) {
    const base = pullRequest.base.slice(0, SHORT_SHA);
    return `${pullRequestName(pullRequest.number)} ${sha} into ${build.revision.ref} ${base}`;
  }
  return build.revision.kind === "commit" ? sha : `${build.revision.ref} ${sha}`;
}

export function quotedTitle(revision: Revision | undefined): string {
  return revision === undefined || revision.title === "" ? "" : ` "${shortTitle(revision.title)}"`;
}

/** The one line that says how a finished build ended. */
export function resultLine(build: FinishedBuild, url: string): Line {
  const { state, project, number } = build;
  const name = `${project} #${number}`;
  const took = state.startedAt === undefined ? "" : ` in ${formatDuration(durationMs(build))}`;
  const who = build.revision === undefined ? "" : ` by ${build.revision.author}`;
  const link = buildUrl(url, number);
  const coverage = build.results?.coverage === undefined ? [] : [coverageWords(build.results.coverage)];
  const missing = missingFacts(build);
  switch (state.kind) {
    case "passed":
      return line(
        "passed",
        [`${name} passed${took}`, revisionName(build), ...testFacts(build), ...coverage, ...missing],
        link,
      );
    case "failed": {
      const facts = [`${name} failed${took}`, `${revisionName(build)}${who}`, failureFact(build, state.reason)];
      return line("failed", [...facts, ...coverage, ...missing], link);
    }
    case "errored": {
      const tries = state.tries > 1 ? `tried ${times(state.tries)}, not your change` : "not your change";
      return line("errored", [`${name} could not run: ${state.reason}`, tries, ...missing], link);
    }
    case "cancelled": {
      const reason = state.reason === undefined ? "" : `: ${state.reason}`;
      return line("cancelled", [`${name} cancelled by ${state.by}${reason}`, revisionName(build)], link);
    }
    default:
      return state satisfies never;
  }
}

/** How a finished build ended, with what can be done about it. */
export function resultReply(build: FinishedBuild, url: string): Reply {
  return {
    lines: [resultLine(build, url), ...pictureLines(build, url), ...keptLines(build)],
    ...moreOf(build),
    key: buildKey(build.number),
    actions: buildActions(build, url),
  };
}

/** What a step saw when it failed, if it left a picture of that: `picture of screen · https://…/artifacts/43/screen.png`. */
export function pictureLines(build: FinishedBuild, url: string): Line[] {
  const [first] = picturesOf(build);
  if (first?.isOfFailure !== true) return [];
  return [line("info", [`picture of step ${first.step}`], `${url}${artifactPath(build.number, first.path)}`)];
}

/** How what the failed steps left can be entered, for whoever asked that it is kept. */
function keptLines(build: FinishedBuild): Line[] {
  return keptWords(build, build.results?.kept).map((words) => line("info", [words]));
}

/** For where there is room: what the first failing test said, of which the line has the name, and the tests by package. */
export function moreOf({ state, results }: FinishedBuild): Pick<Reply, "quote" | "details"> {
  const [test] = state.kind === "failed" ? (results?.tests?.failing ?? []) : [];
  const quote = test?.message?.split("\n", 1)[0]?.slice(0, QUOTE_LENGTH);
  const details = packageTable(results?.packages);
  return { ...(quote === undefined ? {} : { quote }), ...(details.length === 0 ? {} : { details }) };
}

/** What a person may want to do with a build next; each is a command of the chat. */
export function buildActions(build: Build, url: string): Action[] {
  const log: Action = { label: "Log", link: `${buildUrl(url, build.number)}/log` };
  if (!isFinished(build)) return [log, { label: "Cancel", command: `cancel ${build.number}`, style: "danger" }];
  const rebuild: Action = { label: "Rebuild", command: `rebuild ${build.number}`, style: "plain" };
  const good = build.state.kind === "passed" || build.state.kind === "cancelled";
  return good ? [log, rebuild] : [{ label: "Why", command: `why ${build.number}`, style: "plain" }, log, rebuild];
}

/** Where its log and files are, if they are not here. */
function missingFacts({ results, ranOn }: Build): string[] {
  if (results?.undelivered === undefined) return [];
  return [`its log and files are still on ${ranOn?.worker ?? "its worker"}: ${results.undelivered}`];
}

function times(count: number): string {
  return count === 2 ? "twice" : `${count} times`;
}

/** What there is to say of the tests of a build that passed: how many, and what was not as it should be. */
function testFacts({ results, steps }: Build): string[] {
  const tests = results?.tests;
  const quarantined = labels(steps.filter((step) => step.quarantined === true));
  const allowed = labels(steps.filter((step) => step.allowed === true && step.quarantined !== true));
  const unsteady = labels(steps.filter((step) => step.flaky === true && (step.tests?.flaky.length ?? 0) === 0));
  return [
    tests === undefined ? "" : `${testWords(tests)}${packageWords(results?.packages)}`,
    tests === undefined ? "" : flakyWords(tests),
    unsteady === "" ? "" : `flaky: ${unsteady}`,
    quarantined === "" ? "" : `in quarantine: ${quarantined}`,
    allowed === "" ? "" : `allowed to fail: ${allowed}`,
  ];
}

/** The failing tests where they are what failed, else the step and the line of its log that says why. */
function failureFact({ results, steps }: Build, reason: string): string {
  const failed = steps.find((step) => step.state === "failed" && step.allowed !== true);
  if (failed?.tests !== undefined && failed.tests.failed > 0 && results?.tests !== undefined) {
    return testWords(results.tests);
  }
  if (failed === undefined) return reason;
  return results?.explanation === undefined ? reason : `${reason}: ${failureWords(results.explanation)}`;
}

function labels(steps: readonly StepResult[]): string {
  return steps.map(stepLabel).join(", ");
}

/** A build under way: `docker #47 step 2 of 3 tests · 1m05s of about 4m`. */
export function runningLine(build: Build, now: Date, expectedMs: number | undefined, link?: string): Line {
  const { state } = build;
  if (state.kind !== "running") return line("queued", [`${build.project} #${build.number} queued`], link);
  const step =
    state.step === undefined ? "fetching" : `step ${state.step.index} of ${state.step.count} ${state.step.name}`;
  const elapsed = now.getTime() - Date.parse(state.startedAt);
  const about = expectedMs === undefined ? "" : ` of about ${formatDuration(expectedMs)}`;
  return line("running", [`${build.project} #${build.number} ${step}`, `${formatDuration(elapsed)}${about}`], link);
}

/** Any build in one line. */
export function buildLine(build: Build, url: string, now: Date, expectedMs?: number): Line {
  if (isFinished(build)) return resultLine(build, url);
  return runningLine(build, now, expectedMs, buildUrl(url, build.number));
}
