/** `!last`: the newest results. */
import { z } from "zod";
import { buildLine } from "../src/builds/describe.ts";
import { defineCommand } from "../src/chat/command.ts";
import { say } from "../src/chat/reply.ts";

const SHOWN = 3;

export const last = defineCommand({
  name: "last",
  summary: "The newest builds, of one project or of all.",
  examples: ["!last", "!last docker-registry"],
  args: z.strictObject({ project: z.string().optional() }),
  async run({ args, builds, config, clock }) {
    const project = args.project === undefined ? undefined : builds.project(args.project).name;
    const newest = await builds.latest(SHOWN + 1, project);
    if (newest.length === 0) return say("info", ["there are no builds yet"], config.url);
    const lines = newest.slice(0, SHOWN).map((build) => buildLine(build, config.url, clock.now()));
    const page = project === undefined ? config.url : `${config.url}/projects/${project}`;
    return { lines: newest.length > SHOWN ? [...lines, { tone: "info", facts: ["older ones"], link: page }] : lines };
  },
});
