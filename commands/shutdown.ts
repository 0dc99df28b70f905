/** `!shutdown`: stop after what is at work. */
import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { say } from "../src/chat/reply.ts";

export const shutdown = defineCommand({
  name: "shutdown",
  summary: "Take no more builds, finish those at work, then stop. What is queued waits for the next start.",
  examples: ["!shutdown"],
  role: "admin",
  args: z.strictObject({}),
  async run({ builds, identity, shutdown: stop }) {
    const [running, queued] = await Promise.all([builds.running(), builds.queued()]);
    stop(identity.name);
    return say("info", [
      running.length === 0
        ? "stopping now"
        : `stopping when ${running.map(({ number }) => `#${number}`).join(", ")} ${running.length === 1 ? "is" : "are"} done`,
      queued.length === 0 ? "" : `${queued.length} queued ${queued.length === 1 ? "waits" : "wait"} for the next start`,
    ]);
  },
});
