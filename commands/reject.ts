/** `!reject`: end a release that waits for approvals. */
import { z } from "zod";
import { askedIn } from "../src/builds/accepted.ts";
import { defineCommand } from "../src/chat/command.ts";
import { ReleaseArgument } from "../src/chat/release-argument.ts";
import { newsLine } from "../src/releases/words.ts";

export const reject = defineCommand({
  name: "reject",
  aliases: ["withdraw"],
  summary: "End a release that waits for approvals, as somebody who may approve or who asked for it; say why.",
  examples: ["!reject R7 the changelog is missing", "!reject R7"],
  // Who asked may, whatever they are besides: it is looked at inside.
  changes: true,
  repeatable: true,
  args: z.strictObject({
    release: ReleaseArgument,
    reason: z.string().max(500, "a reason of at most 500 characters").optional().meta({ takes: "rest" }),
  }),
  async run({ args, releases, config, identity, message }) {
    const word = { identity, room: message.room, asked: askedIn(message) };
    return { lines: [newsLine(await releases.reject(args.release, word, args.reason), config)] };
  },
});
