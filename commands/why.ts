/** `!why`: the few lines that explain how a build ended. */
import { z } from "zod";
import { type Build, isFinished } from "../src/builds/build.ts";
import { buildLine, buildUrl, SHORT_SHA } from "../src/builds/describe.ts";
import type { LogLine } from "../src/builds/log-files.ts";
import { plainText } from "../src/builds/plain-text.ts";
import { BuildArgument } from "../src/chat/build-argument.ts";
import { defineCommand } from "../src/chat/command.ts";
import { line } from "../src/chat/reply.ts";
import { UserError } from "../src/errors.ts";

/** Enough for the end of a step's output, with what is said about it. */
const TAIL_LINES = 60;
const SHOWN = 4;
const LINE_LENGTH = 200;
/** A line of docker-ci's own in a log. */
const OURS = /^── /;

export const why = defineCommand({
  name: "why",
  summary: "Why a build did not pass: the step, what ended it, its last lines, and who is suspected.",
  examples: ["!why 43"],
  args: z.strictObject({ build: BuildArgument }),
  async run({ args, builds, incidents, logLines, config, clock }) {
    const build = await builds.get(args.build);
    if (!isFinished(build)) throw new UserError(`#${build.number} is not over yet.`);
    if (build.state.kind === "passed" || build.state.kind === "cancelled") {
      return { lines: [buildLine(build, config.url, clock.now())] };
    }
    const open = await incidents.open();
    const incident = open.find(({ project, branch }) => project === build.project && branch === build.revision?.ref);
    const suspects = (incident?.suspects ?? [])
      .slice(0, SHOWN)
      .map(({ author, sha }) => `${author} ${sha.slice(0, SHORT_SHA)}`);
    const facts = [
      `#${build.number} ${build.state.reason}`,
      suspects.length === 0 ? "" : `suspects: ${suspects.join(", ")}`,
      incident?.lastGood === undefined ? "" : `was good at #${incident.lastGood.number}`,
    ];
    const excerpt = endOfStep(build, (await logLines(build.number, TAIL_LINES)) ?? []);
    return {
      lines: [line(build.state.kind, facts, `${buildUrl(config.url, build.number)}/log`)],
      ...(excerpt.length === 0 ? {} : { verbatim: excerpt }),
    };
  },
});

/** The last lines that the failing step itself printed; of what could not run, what docker-ci said. */
function endOfStep(build: Build, tail: readonly LogLine[]): string[] {
  const failed = build.steps.find((step) => step.state === "failed" && step.allowed !== true);
  const end = tail.findLastIndex(
    ({ text }) => failed !== undefined && text.startsWith(`── step ${failed.name} failed`),
  );
  const before = tail.slice(0, end === -1 ? tail.length : end).map(({ text }) => plainText(text).trimEnd());
  const printed = before.filter((text) => text !== "" && (end === -1 || !OURS.test(text)));
  return printed.slice(-SHOWN).map((text) => (text.length > LINE_LENGTH ? `${text.slice(0, LINE_LENGTH - 1)}…` : text));
}
