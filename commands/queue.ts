/** `!queue`: what waits, and for what. */
import { z } from "zod";
import { quotedTitle, revisionName, runningLine } from "../src/builds/describe.ts";
import { defineCommand } from "../src/chat/command.ts";
import { line, say } from "../src/chat/reply.ts";

const SHOWN = 3;

export const queue = defineCommand({
  name: "queue",
  summary: "What runs and what waits behind it, in order.",
  examples: ["!queue"],
  args: z.strictObject({}),
  async run({ builds, config, clock, workers }) {
    const [running, queued, known] = await Promise.all([builds.running(), builds.queued(), workers()]);
    if (running.length + queued.length === 0) return say("info", ["nothing runs or waits"]);
    const slots = known.reduce((sum, worker) => sum + worker.slots, 0);
    const waitsFor = slots === 0 ? "a worker" : "a free slot";
    const lines = [
      ...running.map((build) => runningLine(build, clock.now(), undefined)),
      ...queued.map((build, index) =>
        line("queued", [
          `${index + 1}. ${build.project} #${build.number} for ${build.requester.name}`,
          `${revisionName(build)}${quotedTitle(build.revision)}`,
          `waits for ${waitsFor}`,
        ]),
      ),
    ];
    const rest = lines.length - SHOWN;
    return { lines: rest > 1 ? [...lines.slice(0, SHOWN), line("info", [`${rest} more`], config.url)] : lines };
  },
});
