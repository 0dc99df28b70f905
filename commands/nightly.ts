/** `!nightly`: what comes at night, now. */
import { z } from "zod";
import { accepted, askedIn, requesterOf } from "../src/builds/accepted.ts";
import { defineCommand } from "../src/chat/command.ts";
import type { Reply } from "../src/chat/reply.ts";
import { UserError } from "../src/errors.ts";

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
    return only !== undefined && replies.length === 1 ? only : { lines: replies.flatMap(({ lines }) => lines) };
  },
});
