/** `!log`: the tail of a build's log, or the lines that match. */
import { z } from "zod";
import { buildUrl } from "../src/builds/describe.ts";
import { plainText } from "../src/builds/plain-text.ts";
import { BuildArgument } from "../src/chat/build-argument.ts";
import { defineCommand } from "../src/chat/command.ts";
import { say } from "../src/chat/reply.ts";
import { UserError } from "../src/errors.ts";

const LINES_DEFAULT = 5;
const LINES_MAX = 20;
/** A chat is no pager: a longer line is cut. */
const LINE_LENGTH = 300;

export const log = defineCommand({
  name: "log",
  summary: `The last lines of a build's log (${LINES_DEFAULT}, at most ${LINES_MAX}), or the last that match a pattern.`,
  examples: ["!log 43", "!log 43 20", "!log 43 /panic/"],
  args: z.strictObject({
    build: BuildArgument,
    what: z
      .string()
      .regex(/^(\d+|\/.+\/i?)$/, "a number of lines, or a pattern such as /panic/")
      .optional()
      .meta({ label: "lines or /pattern/" }),
  }),
  async run({ args, builds, config, logLines }) {
    const build = await builds.get(args.build);
    const link = `${buildUrl(config.url, build.number)}/log`;
    const pattern = args.what?.startsWith("/") === true ? readPattern(args.what) : undefined;
    const count =
      pattern === undefined && args.what !== undefined ? Math.min(Number(args.what), LINES_MAX) : LINES_DEFAULT;
    const lines = await logLines(build.number, Math.max(1, count), pattern);
    if (lines === undefined)
      return say(
        "info",
        [`#${build.number} has no log${build.state.kind === "queued" ? " yet: it is queued" : ""}`],
        link,
      );
    if (lines.length === 0) {
      const nothing = pattern === undefined ? "has printed nothing yet" : `has no line that matches ${pattern}`;
      return say("info", [`#${build.number} ${nothing}`], link);
    }
    const first = lines[0]?.number ?? 1;
    const last = lines.at(-1)?.number ?? first;
    return {
      lines: [
        {
          tone: "info",
          facts: [`${build.project} #${build.number} lines ${first} to ${last}`],
          link,
        },
      ],
      verbatim: lines.map(({ text }) => shown(text)),
    };
  },
});

function readPattern(text: string): RegExp {
  const [, source = "", flags = ""] = /^\/(.+)\/(i?)$/.exec(text) ?? [];
  try {
    return new RegExp(source, flags);
  } catch (error) {
    throw new UserError(
      `/${source}/ is not a pattern: ${error instanceof Error ? error.message.replace(/^.*: /, "") : ""}.`,
      { cause: error },
    );
  }
}

/**
 * As a terminal would show it in the end, without what was overwritten, without colours and other control sequences (ECMA-48,
 * 5.4), and not longer than a chat can take.
 */
function shown(text: string): string {
  const plain = plainText(text);
  return plain.length <= LINE_LENGTH ? plain : `${plain.slice(0, LINE_LENGTH - 1)}…`;
}
