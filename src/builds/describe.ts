/** Builds in words, in the order that FACE.md fixes: project, number, word, time, revision and author, what failed, link. */
import { type Action, type Line, line, type Reply, type Tone } from "../chat/reply.ts";
import type { Revision } from "../revisions.ts";
import { formatDuration } from "../units.ts";
import { type Build, durationMs, type FinishedBuild, isFinished } from "./build.ts";

const TITLE_LENGTH = 50;
export const SHORT_SHA = 7;

/** `https://ci.example.org/builds/42` */
export function buildUrl(url: string, number: number): string {
  return `${url}/builds/${number}`;
}

/** What everything said about a build is filed under, so that a chat that can edit says it in one message. */
export function buildKey(number: number): string {
  return `build-${number}`;
}

/** Cut at 50 characters with `…`, one line. */
export function shortTitle(title: string): string {
  const one = title.replace(/\s+/g, " ").trim();
  const characters = [...one];
  return characters.length <= TITLE_LENGTH ? one : `${characters.slice(0, TITLE_LENGTH - 1).join("")}…`;
}

/** `main 0d6b721`; a commit that was asked for by its name stands alone. */
export function revisionName(build: Pick<Build, "ref" | "revision">): string {
  if (build.revision === undefined) return build.ref;
  const sha = build.revision.sha.slice(0, SHORT_SHA);
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
  switch (state.kind) {
    case "passed":
      return line("passed", [`${name} passed${took}`, revisionName(build), allowedFailures(build)], link);
    case "failed":
      return line("failed", [`${name} failed${took}`, `${revisionName(build)}${who}`, state.reason], link);
    case "errored": {
      const tries = state.tries > 1 ? `tried ${times(state.tries)}, not your change` : "not your change";
      return line("errored", [`${name} could not run: ${state.reason}`, tries], link);
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
  return { lines: [resultLine(build, url)], key: buildKey(build.number), actions: buildActions(build, url) };
}

/** What a person may want to do with a build next; each is a command of the chat. */
export function buildActions(build: Build, url: string): Action[] {
  const log: Action = { label: "Log", link: `${buildUrl(url, build.number)}/log` };
  if (!isFinished(build)) return [log, { label: "Cancel", command: `cancel ${build.number}`, style: "danger" }];
  const rebuild: Action = { label: "Rebuild", command: `rebuild ${build.number}`, style: "plain" };
  const good = build.state.kind === "passed" || build.state.kind === "cancelled";
  return good ? [log, rebuild] : [{ label: "Why", command: `why ${build.number}`, style: "plain" }, log, rebuild];
}

function times(count: number): string {
  return count === 2 ? "twice" : `${count} times`;
}

function allowedFailures(build: Build): string {
  const names = build.steps.filter((step) => step.allowed === true).map((step) => step.name);
  return names.length === 0 ? "" : `allowed to fail: ${names.join(", ")}`;
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

export function toneOf(build: Build): Tone {
  return build.state.kind;
}
