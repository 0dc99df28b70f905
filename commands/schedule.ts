/** `!schedule`: what comes by itself, and when. */
import { z } from "zod";
import { pausedFacts } from "../src/builds/waiting.ts";
import { defineCommand } from "../src/chat/command.ts";
import { line, say } from "../src/chat/reply.ts";
import { lastPhrase } from "../src/schedules/schedules.ts";
import { whenPhrase } from "../src/schedules/when.ts";

const LISTED_MAX = 5;
const LISTED_OF_MANY = 3;

export const schedule = defineCommand({
  name: "schedule",
  summary: "What comes by itself, nights, schedules and the report, when next, and what came of it the last time.",
  examples: ["!schedule"],
  args: z.strictObject({}),
  async run({ builds, config, clock, schedules }) {
    const now = clock.now();
    const { timezone } = config;
    const coming = await schedules.coming(now);
    const held = pausedFacts(await builds.pauses.all(), { now, timezone });
    if (coming.length === 0) return say("info", ["nothing is scheduled", ...held], `${config.url}/schedule`);
    const lines = coming.map(({ what, next, last }) =>
      line("info", [`${what} ${whenPhrase(next, now, timezone)}`, lastPhrase(last)]),
    );
    const shown = lines.length > LISTED_MAX ? lines.slice(0, LISTED_OF_MANY) : lines;
    const rest = lines.length - shown.length;
    const more = rest === 0 ? [] : [line("info", [`${rest} more`], `${config.url}/schedule`)];
    return { lines: [...(held.length === 0 ? [] : [line("info", held)]), ...shown, ...more] };
  },
});
