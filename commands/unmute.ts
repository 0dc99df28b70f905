/** `!unmute`: notices again. */
import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { say } from "../src/chat/reply.ts";

export const unmute = defineCommand({
  name: "unmute",
  summary: "Notices in this room again.",
  examples: ["!unmute"],
  changes: true,
  repeatable: true,
  args: z.strictObject({}),
  async run({ subscriptions, message }) {
    const muted = await subscriptions.unmute(message.room);
    return say("info", [muted ? "notices here again" : "this room was not muted"]);
  },
});
