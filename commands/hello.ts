/** `!hello`: what docker-ci says to who greets it, or does something to it. */
import { z } from "zod";
import { brokenNames, couldNotRun, howAllStand } from "../src/builds/stands.ts";
import { defineCommand } from "../src/chat/command.ts";
import { type Reply, say } from "../src/chat/reply.ts";

export const hello = defineCommand({
  name: "hello",
  aliases: ["hi"],
  summary: "A greeting, and where to begin.",
  examples: ["!hello"],
  unlisted: true,
  // People say more than that when they greet.
  args: z.strictObject({ words: z.string().optional().meta({ takes: "rest", label: "anything" }) }),
  async run({ builds, config, incidents }): Promise<Reply> {
    const { prefix, url } = config;
    const [all, open] = await Promise.all([howAllStand(config, builds), incidents.open()]);
    const broken = brokenNames(all, open);
    const ways = `${prefix}status says what runs, ${prefix}help what I can do`;
    // It begins with a sign and not with a word, which another bot, addressed with it, would take for a command.
    if (broken.length > 0) return say("failed", [`at your service; broken: ${broken.join(", ")}`, ways], url);
    const unable = couldNotRun(all);
    if (unable !== "") return say("errored", [`at your service; ${unable}`, ways], url);
    const isBuilt = all.some(({ build }) => build?.state.kind === "passed");
    if (isBuilt) return say("passed", ["at your service; nothing is broken", ways], url);
    return say("queued", ["at your service; nothing has been built yet", ways], url);
  },
});
