/** `!release`: ask for a version to be approved, built, signed and published. */
import { z } from "zod";
import { askedIn, requesterOf } from "../src/builds/accepted.ts";
import { defineCommand } from "../src/chat/command.ts";
import { GitRef } from "../src/names.ts";
import { cardReply } from "../src/releases/words.ts";

export const release = defineCommand({
  name: "release",
  summary: "Ask for a version to be published: says what would be, and waits for approvals.",
  examples: [
    "!release docker 0.9.0",
    "!release docker 0.9.0 release-0.9",
    "!release docker 0.8.2 --force",
    "!release docker 0.8.2 release-0.8 --no-latest",
  ],
  role: "developer",
  repeatable: true,
  args: z.strictObject({
    project: z.string(),
    version: z.string().max(64, "a version such as 1.4.0"),
    ref: GitRef.optional().meta({ label: "branch, tag or commit" }),
    force: z.literal(true).optional().meta({ takes: "switch" }),
    "skip-tests": z.literal(true).optional().meta({ takes: "switch" }),
    "no-latest": z.literal(true).optional().meta({ takes: "switch" }),
  }),
  async run({ args, releases, config, identity, message }) {
    const { project, version, ref, force = false, "skip-tests": skipTests, "no-latest": noLatest } = args;
    const wish = { project, version, ref, kind: "release", force, skipTests, noLatest } as const;
    const who = { requester: requesterOf(identity, message), identity, asked: askedIn(message) };
    return cardReply(await releases.request({ ...wish, ...who }), config);
  },
});
