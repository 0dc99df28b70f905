/** `!unsubscribe`: this room hears no more of a project. */
import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { say } from "../src/chat/reply.ts";
import { whatIsHeard } from "../src/incidents/subscribed.ts";

export const unsubscribe = defineCommand({
  name: "unsubscribe",
  summary: "End a subscription of this room; without a project, list what it hears.",
  examples: ["!unsubscribe docker-registry", "!unsubscribe all", "!unsubscribe"],
  changes: true,
  repeatable: true,
  args: z.strictObject({ project: z.string().optional().meta({ label: "project or all" }) }),
  async run({ args, builds, subscriptions, message, config, clock }) {
    if (args.project !== undefined) {
      const kept = (await subscriptions.all()).find(({ project }) => project !== undefined && project === args.project);
      // A project that is configured no more can still be heard of no more.
      const project = args.project === "all" ? undefined : (kept?.project ?? builds.project(args.project).name);
      const there = await subscriptions.remove(message.room, project);
      const what = project ?? "all projects";
      return say("info", [there ? `this room hears no more of ${what}` : `this room has no subscription to ${what}`]);
    }
    return say("info", await whatIsHeard(message.room, { config, subscriptions, clock }));
  },
});
