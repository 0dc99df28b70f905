/** `!subscribe`: this room hears of a project. */

import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { quoted } from "../src/chat/quoted.ts";
import { say } from "../src/chat/reply.ts";
import { UserError } from "../src/errors.ts";
import { hearsWords, readEvents } from "../src/incidents/subscribed.ts";
import { DEFAULT_EVENTS } from "../src/incidents/subscriptions.ts";
import { GitRef } from "../src/names.ts";

export const subscribe = defineCommand({
  name: "subscribe",
  summary: "Tell this room of a project, or of all: broken, fixed and errored by default, or every result.",
  examples: [
    "!subscribe docker-registry",
    "!subscribe all",
    "!subscribe docker broken,fixed branch=main",
    "!subscribe hello every",
  ],
  changes: true,
  repeatable: true,
  args: z.strictObject({
    project: z.string().meta({ label: "project or all" }),
    events: z.string().optional(),
    branch: z.string().optional().meta({ label: "branch=…" }),
  }),
  async run({ args, builds, subscriptions, message }) {
    const project = args.project === "all" ? undefined : builds.project(args.project).name;
    const events = args.events === undefined ? [...DEFAULT_EVENTS] : readEvents(args.events);
    const branch = args.branch === undefined ? undefined : readBranch(args.branch);
    const subscription = {
      room: message.room,
      ...(project === undefined ? {} : { project }),
      ...(branch === undefined ? {} : { branch }),
      events,
    };
    await subscriptions.add(subscription);
    return say("info", [`this room hears of ${hearsWords(subscription)}`]);
  },
});

function readBranch(text: string): GitRef {
  const ref = GitRef.safeParse(text);
  if (ref.success) return ref.data;
  throw new UserError(`${quoted(text)} cannot be a branch's name.`);
}
