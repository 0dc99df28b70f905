/** `!queue`: what waits, and for what. */
import { z } from "zod";
import { beginsPhrase, slotsOf } from "../src/builds/accepted.ts";
import { quotedTitle, revisionName, runningLine } from "../src/builds/describe.ts";
import { expectedPhrase, NO_HISTORY } from "../src/builds/expected.ts";
import { defineCommand } from "../src/chat/command.ts";
import { line, say } from "../src/chat/reply.ts";

const SHOWN = 3;

export const queue = defineCommand({
  name: "queue",
  summary: "What runs and what waits behind it, in order, and when each should begin and end.",
  examples: ["!queue"],
  args: z.strictObject({}),
  async run({ builds, config, clock, workers }) {
    const slots = slotsOf(await workers());
    const { running, queued, expected, forecast } = await builds.outlook(slots);
    if (running.length + queued.length === 0) return say("info", ["nothing runs or waits"]);
    const lines = [
      ...running.map((build) => {
        const shown = runningLine(build, clock.now(), expected(build)?.medianMs);
        return expected(build) === undefined ? { ...shown, facts: [...shown.facts, NO_HISTORY] } : shown;
      }),
      ...queued.map((build, index) => {
        const told = forecast(build);
        const begins = told === undefined ? "" : beginsPhrase(told);
        return line("queued", [
          `${index + 1}. ${build.project} #${build.number} for ${build.requester.name}`,
          `${revisionName(build)}${quotedTitle(build.revision)}`,
          slots === 0 ? "waits for a worker" : begins === "" ? "waits for a free slot" : begins,
          expectedPhrase(expected(build)),
        ]);
      }),
    ];
    const rest = lines.length - SHOWN;
    return { lines: rest > 1 ? [...lines.slice(0, SHOWN), line("info", [`${rest} more`], config.url)] : lines };
  },
});
