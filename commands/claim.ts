/** `!claim`: I am on it. */
import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { say } from "../src/chat/reply.ts";

export const claim = defineCommand({
  name: "claim",
  summary: "Say that you are mending a broken project; every room that heard of it is told.",
  examples: ["!claim docker-registry"],
  changes: true,
  repeatable: true,
  args: z.strictObject({ project: z.string() }),
  async run({ args, builds, incidents, identity, message, config }) {
    const project = builds.project(args.project);
    const claimed = await incidents.claim(project.name, identity.name, message.room);
    if (claimed === undefined)
      return say("info", [`${project.name} is not broken`], `${config.url}/projects/${project.name}`);
    return { lines: [claimed] };
  },
});
