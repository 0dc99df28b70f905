/** `!releases`: what waits for approvals and what was published, or one of them with what it changes. */
import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { ReleaseArgument } from "../src/chat/release-argument.ts";
import { line, type Reply, say } from "../src/chat/reply.ts";
import type { Release } from "../src/releases/release.ts";
import { cardReply, commitLines, listLine, type WordsConfig } from "../src/releases/words.ts";

const SHOWN = 3;
/** In a line, where there is no room for a table. */
const COMMITS_SHOWN = 3;

export const releases = defineCommand({
  name: "releases",
  summary: "What waits for approvals and what was published; or one release, with what it changes.",
  examples: ["!releases", "!releases docker", "!releases R7"],
  args: z.strictObject({ which: z.string().optional().meta({ label: "project or R7" }) }),
  async run({ args, builds, releases: all, config, clock }) {
    const number = ReleaseArgument.safeParse(args.which);
    if (number.success) return one(await all.get(number.data), config);
    const project = args.which === undefined ? undefined : builds.project(args.which).name;
    const newest = await all.latest(SHOWN + 1, project === undefined ? {} : { project });
    const link = `${config.url}/releases`;
    if (newest.length === 0) {
      const what = project === undefined ? "there are no releases yet" : `there is no release of ${project} yet`;
      return say("info", [what, `${config.prefix}release ${project ?? "<project>"} <version> asks for one`], link);
    }
    const lines = newest.slice(0, SHOWN).map((release) => listLine(release, config, clock.now()));
    return { lines: newest.length > SHOWN ? [...lines, line("info", ["older ones"], link)] : lines };
  },
});

/** Said anew, so it changes no message that stands. */
function one(release: Release, config: WordsConfig): Reply {
  const { lines } = cardReply(release, config);
  const commits = commitLines(release.plan);
  if (commits.length === 0) return { lines };
  const shown = commits.slice(0, COMMITS_SHOWN).join(" · ");
  const rest = commits.length - COMMITS_SHOWN;
  const changes = line("info", [shown, rest > 0 ? `${rest} more` : ""]);
  return { lines: [...lines, changes], ...(rest > 0 ? { details: commits } : {}) };
}
