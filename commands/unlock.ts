/** `!unlock`: take the lease of a project's releases from a docker-ci that holds it and does not go on. */
import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { say } from "../src/chat/reply.ts";

export const unlock = defineCommand({
  name: "unlock",
  summary:
    "Let a project's releases go on when the docker-ci that was publishing one is gone; nothing is published twice.",
  examples: ["!unlock docker"],
  role: "admin",
  repeatable: true,
  args: z.strictObject({ project: z.string() }),
  async run({ args, releases }) {
    const { project, wasHeld } = await releases.unlock(args.project);
    if (!wasHeld) return say("info", [`nobody holds the releases of ${project}`]);
    return say("info", [
      `the releases of ${project} are free again`,
      "what was being published goes on, or fails, within a minute",
    ]);
  },
});
