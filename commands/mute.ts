/** `!mute`: no notices in this room for a while. */
import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { DurationArgument } from "../src/chat/duration-argument.ts";
import { say } from "../src/chat/reply.ts";
import { formatAge } from "../src/units.ts";

const DAY_MS = 86_400_000;

export const mute = defineCommand({
  name: "mute",
  summary: "No notices in this room for a while, a day by default; answers go on.",
  examples: ["!mute", "!mute 2h"],
  changes: true,
  repeatable: true,
  args: z.strictObject({ for: DurationArgument.optional().meta({ label: "time" }) }),
  async run({ args, subscriptions, message, clock, config }) {
    const forMs = args.for ?? DAY_MS;
    await subscriptions.mute(message.room, new Date(clock.now().getTime() + forMs));
    return say("info", [`no notices here for ${formatAge(forMs)}`, `${config.prefix}unmute ends it`]);
  },
});
