/** `!rebuild`: the same revision again. */
import { z } from "zod";
import { accepted, askedIn, requesterOf } from "../src/builds/accepted.ts";
import { BuildArgument } from "../src/chat/build-argument.ts";
import { defineCommand } from "../src/chat/command.ts";
import { DurationArgument } from "../src/chat/duration-argument.ts";

export const rebuild = defineCommand({
  name: "rebuild",
  summary: "Build the same revision again, or only the steps that failed; --keep as with !build.",
  examples: ["!rebuild 43", "!rebuild 43 failed"],
  role: "developer",
  repeatable: true,
  args: z.strictObject({
    build: BuildArgument,
    only: z.enum(["failed"], { error: '"failed", the one word that may follow' }).optional().meta({ label: "failed" }),
    keep: DurationArgument.optional().meta({ takes: "option", label: "time" }),
  }),
  async run({ args, builds, message, identity, ...services }) {
    const requester = requesterOf(identity, message);
    const again = await builds.rebuild(args.build, requester, args.only === "failed", askedIn(message), args.keep);
    return accepted(again, { ...services, builds });
  },
});
