/** `!source`: where the source of what runs here is, and its page. */
import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { say } from "../src/chat/reply.ts";
import { LICENSE, SOURCE } from "../src/package.ts";

export const source = defineCommand({
  name: "source",
  summary: "Where the source of docker-ci is, under which licence, and its page.",
  examples: ["!source"],
  unlisted: true,
  args: z.strictObject({}),
  run({ version, config }) {
    const where = SOURCE === undefined ? "its package.json names no repository" : `source: ${SOURCE}`;
    return say("info", [`docker-ci ${version}`, LICENSE, where], config.url);
  },
});
