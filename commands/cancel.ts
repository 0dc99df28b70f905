/** `!cancel`: take a build out of the line, or stop it. */
import { z } from "zod";
import { buildLine } from "../src/builds/describe.ts";
import { BuildArgument } from "../src/chat/build-argument.ts";
import { defineCommand } from "../src/chat/command.ts";
import { say } from "../src/chat/reply.ts";

export const cancel = defineCommand({
  name: "cancel",
  aliases: ["stop"],
  summary: "Stop a build, queued or running; the reason is kept with it.",
  examples: ["!cancel 43", "!cancel 43 superseded by 44"],
  role: "developer",
  repeatable: true,
  args: z.strictObject({
    build: BuildArgument,
    reason: z.string().max(200).optional().meta({ takes: "rest" }),
  }),
  async run({ args, builds, identity, message, config, clock }) {
    const outcome = await builds.cancel(args.build, identity.name, args.reason);
    const { build } = outcome;
    const name = `${build.project} #${build.number}`;
    switch (outcome.kind) {
      case "over":
        return { lines: [buildLine(build, config.url, clock.now())] };
      case "stopping":
        return say("running", [`stopping ${name}`, elsewhere(build.requester.room.name, message.room.name)]);
      case "cancelled":
        return say("cancelled", [`${name} taken out of the line`]);
      default:
        return outcome satisfies never;
    }
  },
});

/** The result is said where the build was asked for, which may be another room. */
function elsewhere(asked: string, here: string): string {
  return asked === here ? "" : `the result goes to ${asked}, where it was asked for`;
}
