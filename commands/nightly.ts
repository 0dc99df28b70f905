/** `!nightly`: what comes at night, now. */
import { z } from "zod";
import { accepted, askedIn, requesterOf } from "../src/builds/accepted.ts";
import { defineCommand } from "../src/chat/command.ts";
import { line, type Reply } from "../src/chat/reply.ts";
import { UserError } from "../src/errors.ts";

/** More lines than that are too many for a room. */
const LINES_MAX = 5;
const LINES_OF_MANY = 3;

export const nightly = defineCommand({
  name: "nightly",
  summary: "Build now what is built at night: of one project, or of every one that has nights.",
  examples: ["!nightly", "!nightly docker-registry"],
  role: "developer",
  repeatable: true,
  args: z.strictObject({ project: z.string().optional() }),
  async run({ args, builds, config, message, identity, ...services }) {
    const asked = askedIn(message);
    const projects =
      args.project === undefined
        ? [...config.projects.values()].filter(({ nightly }) => nightly !== undefined)
        : [builds.project(args.project)];
    if (projects.length === 0) {
      throw new UserError(`no project has the key nightly; ${config.prefix}nightly <project> builds one all the same.`);
    }
    const replies: Reply[] = [];
    for (const { name, branch } of projects) {
      const build = await builds.request({
        project: name,
        ref: branch,
        requester: requesterOf(identity, message),
        event: "nightly",
        asked: `${asked}:${name}`,
      });
      replies.push(await accepted(build, { ...services, builds, config }));
    }
    const [only] = replies;
    if (only !== undefined && replies.length === 1) return only;
    const lines = replies.flatMap(({ lines }) => lines);
    if (lines.length <= LINES_MAX) return { lines };
    const rest = lines.length - LINES_OF_MANY;
    return { lines: [...lines.slice(0, LINES_OF_MANY), line("queued", [`${rest} more queued`], config.url)] };
  },
});
