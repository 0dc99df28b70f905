/** `!version`: what runs here. */
import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { say } from "../src/chat/reply.ts";
import { formatAge } from "../src/units.ts";

export const version = defineCommand({
  name: "version",
  summary: "The version of docker-ci, and how long it has been up.",
  examples: ["!version"],
  args: z.strictObject({}),
  run({ version: number, startedAt, clock, config }) {
    const up = formatAge(clock.now().getTime() - startedAt.getTime());
    return say("info", [`docker-ci ${number}`, `Node ${process.versions.node}`, `up ${up}`], config.url);
  },
});
