/** The comment on a pull request: its result, what failed and what it covers, in Markdown that nothing from outside can break out of. */
import { toUSVString } from "node:util";
import { durationMs, type FinishedBuild } from "../builds/build.ts";
import { buildUrl, SHORT_SHA } from "../builds/describe.ts";
import { SIGNS } from "../chat/reply.ts";
import { coverageWords, patchWords } from "../results/coverage-words.ts";
import { failingLines } from "../results/test-words.ts";
import { formatDuration } from "../units.ts";
import { outcomeFacts } from "./statuses.ts";

const LINES = 60;
const LINE_LENGTH = 300;
/** As MergeConflictError has it. */
const FILES_IN_REASON = 5;
const CONTROLS = /[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|\p{Cc}/gu;

const WORDS = { passed: "passed", failed: "failed", errored: "could not run", cancelled: "was cancelled" } as const;

/** Text of ours stands as it is; every other in a fence, where it is no link, no mention and no HTML. */
export function commentOf(build: FinishedBuild, url: string): string {
  const { state, project, number, revision, results } = build;
  const page = buildUrl(url, number);
  const took = state.startedAt === undefined ? "" : ` in ${formatDuration(durationMs(build))}`;
  const merged =
    revision?.pullRequest === undefined
      ? ""
      : `${short(revision.sha)} merged into ${short(revision.pullRequest.base)} of ${code(revision.ref)}`;
  const coverage = results?.coverage;
  const paragraphs = [
    `${SIGNS[state.kind]} **[${project} #${number}](${page}) ${WORDS[state.kind]}**${took} · [log](${page}/log)`,
    merged,
    fenced(detail(build, url)),
    coverage === undefined ? "" : [coverageWords(coverage), patchWords(coverage)].filter(Boolean).join(" · "),
  ];
  return paragraphs.filter((text) => text !== "").join("\n\n");
}

/** Coverage is told behind it. */
function detail(build: FinishedBuild, url: string): readonly string[] {
  const { state, results } = build;
  const failing = state.kind === "failed" && results?.tests !== undefined ? failingLines(results.tests) : [];
  const [first = "", ...others] = outcomeFacts(build, url).filter((fact) => !fact.startsWith("coverage "));
  // The headline has said the time already.
  const facts = state.kind === "passed" ? others : [first, ...others];
  const conflicts = state.kind === "failed" ? (state.conflicts ?? []) : [];
  // The reason names the first of them.
  const files = conflicts.length > FILES_IN_REASON ? ["", ...conflicts] : [];
  return [facts.join(" · "), ...(failing.length > 0 ? ["", ...failing] : []), ...files];
}

/** As many backquotes around it as no run within has. */
function fence(text: string, least: number): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  return "`".repeat(Math.max(least, longest + 1));
}

function code(text: string): string {
  const around = fence(text, 1);
  return around === "`" ? `\`${text}\`` : `${around} ${text} ${around}`;
}

function fenced(lines: readonly string[]): string {
  const text = lines
    .slice(0, LINES)
    .map((each) => toUSVString(each.replace(CONTROLS, " ").slice(0, LINE_LENGTH)).trimEnd())
    .join("\n")
    .trim();
  if (text === "") return "";
  const around = fence(text, 3);
  return `${around}text\n${text}\n${around}`;
}

function short(sha: string): string {
  return sha.slice(0, SHORT_SHA);
}
