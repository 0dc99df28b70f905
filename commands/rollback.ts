/** `!rollback`: ask for `latest` to go back to a version that is published already. */
import { z } from "zod";
import { askedIn, requesterOf } from "../src/builds/accepted.ts";
import { defineCommand } from "../src/chat/command.ts";
import { cardReply } from "../src/releases/words.ts";

export const rollback = defineCommand({
  name: "rollback",
  summary: "Ask for latest to go back to a published version; it waits for the approvals that a release takes.",
  examples: ["!rollback docker 0.8.1"],
  role: "developer",
  repeatable: true,
  args: z.strictObject({ project: z.string(), version: z.string().max(64, "a version such as 1.4.0") }),
  async run({ args, releases, config, identity, message }) {
    const who = { requester: requesterOf(identity, message), identity, asked: askedIn(message) };
    return cardReply(await releases.request({ ...args, kind: "rollback", force: false, ...who }), config);
  },
});
