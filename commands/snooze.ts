/** `!snooze`: be quiet about a project for a while. */
import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { DurationArgument } from "../src/chat/duration-argument.ts";
import { say } from "../src/chat/reply.ts";
import { formatAge } from "../src/units.ts";

export const snooze = defineCommand({
  name: "snooze",
  summary: "No notices of a project for a while, anywhere; that it is mended is still told.",
  examples: ["!snooze docker-registry 2h"],
  changes: true,
  repeatable: true,
  args: z.strictObject({ project: z.string(), for: DurationArgument.meta({ label: "time" }) }),
  async run({ args, builds, subscriptions, clock }) {
    const { name } = builds.project(args.project);
    await subscriptions.snooze(name, new Date(clock.now().getTime() + args.for));
    return say("info", [`no notices of ${name} for ${formatAge(args.for)}, unless it is mended`]);
  },
});
