/** `!watch`: tell me here how that build ends. */
import { z } from "zod";
import { isFinished } from "../src/builds/build.ts";
import { resultReply } from "../src/builds/describe.ts";
import { BuildArgument } from "../src/chat/build-argument.ts";
import { defineCommand } from "../src/chat/command.ts";
import { say } from "../src/chat/reply.ts";

export const watch = defineCommand({
  name: "watch",
  summary: "Say here, to you, how a build ends that was asked for elsewhere.",
  examples: ["!watch 43"],
  changes: true,
  repeatable: true,
  args: z.strictObject({ build: BuildArgument }),
  async run({ args, builds, subscriptions, message, config }) {
    const { displayName: to, account } = message.speaker;
    const who = account === undefined ? { to } : { to, toAccount: account };
    await subscriptions.watch(args.build, { room: message.room, ...who });
    // Looked up after it is written down: a build that ends in between is told here, or by the notice, and never by none.
    const build = await builds.get(args.build);
    if (isFinished(build)) return resultReply(build, config.url);
    return say(build.state.kind, [`you will hear how ${build.project} #${build.number} ends`]);
  },
});
