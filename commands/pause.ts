/** `!pause`: no more builds begin, of a project or at all; those that run go on. */
import { z } from "zod";
import { pausedPhrase } from "../src/builds/waiting.ts";
import { defineCommand } from "../src/chat/command.ts";
import { say } from "../src/chat/reply.ts";

export const pause = defineCommand({
  name: "pause",
  summary: "Begin no more builds, of one project or of all, until somebody resumes; those that run go on.",
  examples: ["!pause", "!pause docker-registry"],
  role: "developer",
  repeatable: true,
  args: z.strictObject({ project: z.string().optional() }),
  async run({ args, builds, config, clock, identity }) {
    const project = args.project === undefined ? undefined : builds.project(args.project).name;
    const before = await builds.pauses.pause(project, identity.name);
    const queued = (await builds.queued()).filter((build) => project === undefined || build.project === project);
    const resume = `${config.prefix}resume${project === undefined ? "" : ` ${project}`}`;
    const what = project ?? "everything";
    const told = { now: clock.now(), timezone: config.timezone };
    return say("info", [
      before === undefined
        ? `${what} paused: no build of it begins`
        : `${what} is ${pausedPhrase(before, told)} already`,
      queued.length === 0 ? "" : `${queued.length} queued ${queued.length === 1 ? "waits" : "wait"}`,
      `${resume} lets them go on`,
    ]);
  },
});
