/** `!approve`: a vote for a release. */
import { z } from "zod";
import { askedIn } from "../src/builds/accepted.ts";
import { defineCommand } from "../src/chat/command.ts";
import { ReleaseArgument } from "../src/chat/release-argument.ts";
import { newsLine } from "../src/releases/words.ts";

export const approve = defineCommand({
  name: "approve",
  summary: "Approve a release that somebody else asked for; with the last approval it takes, it is published.",
  examples: ["!approve R7"],
  role: "approver",
  repeatable: true,
  args: z.strictObject({ release: ReleaseArgument }),
  async run({ args, releases, config, identity, message }) {
    const word = { identity, room: message.room, asked: askedIn(message) };
    return { lines: [newsLine(await releases.approve(args.release, word), config)] };
  },
});
