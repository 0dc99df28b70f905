/** `!build`: queue a build. */
import { z } from "zod";
import { accepted, askedIn, requesterOf } from "../src/builds/accepted.ts";
import { defineCommand } from "../src/chat/command.ts";
import { DurationArgument } from "../src/chat/duration-argument.ts";
import { GitRef, ProjectName } from "../src/names.ts";

export const build = defineCommand({
  name: "build",
  summary:
    "Queue a build of a project and answer here with the result; with --keep, what a failing step leaves can be entered for so long.",
  examples: [
    "!build docker-registry",
    "!build docker-registry v2.1",
    "!build docker PR#12",
    "!build hello main GREETING=hi",
  ],
  role: "developer",
  repeatable: true,
  args: z.strictObject({
    project: z.string(),
    ref: GitRef.optional().meta({ label: "branch, tag, commit or PR#12" }),
    params: z.record(z.string(), z.string()).default({}).meta({ takes: "pairs" }),
    keep: DurationArgument.optional().meta({ takes: "option", label: "time" }),
  }),
  async run({ args, builds, message, identity, ...services }) {
    const project = builds.project(args.project);
    const build = await builds.request({
      project: ProjectName.parse(project.name),
      ref: args.ref ?? project.branch,
      requester: requesterOf(identity, message),
      params: args.params,
      keepMs: args.keep,
      asked: askedIn(message),
    });
    return accepted(build, { ...services, builds });
  },
});
