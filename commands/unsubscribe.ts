/** `!unsubscribe`: this room hears no more of a project. */
import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { roomKey } from "../src/chat/message.ts";
import { say } from "../src/chat/reply.ts";

export const unsubscribe = defineCommand({
  name: "unsubscribe",
  summary: "End a subscription of this room; without a project, list what it has.",
  examples: ["!unsubscribe docker-registry", "!unsubscribe all", "!unsubscribe"],
  changes: true,
  repeatable: true,
  args: z.strictObject({ project: z.string().optional().meta({ label: "project or all" }) }),
  async run({ args, builds, subscriptions, message }) {
    if (args.project !== undefined) {
      const project = args.project === "all" ? undefined : builds.project(args.project).name;
      const there = await subscriptions.remove(message.room, project);
      const what = project ?? "all projects";
      return say("info", [there ? `this room hears no more of ${what}` : `this room has no subscription to ${what}`]);
    }
    const own = (await subscriptions.all()).filter(({ room }) => roomKey(room) === roomKey(message.room));
    if (own.length === 0)
      return say("info", ["this room has no subscriptions; notify: of the configuration is beside them"]);
    return say(
      "info",
      own.map(
        ({ project, branch, events }) =>
          `${project ?? "all"}${branch === undefined ? "" : ` ${branch}`}: ${events.join(", ")}`,
      ),
    );
  },
});
