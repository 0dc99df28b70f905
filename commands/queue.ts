/** `!queue`: what waits, and for what. */
import { z } from "zod";
import { quotedTitle, revisionName, runningLine } from "../src/builds/describe.ts";
import { expectedPhrase, NO_HISTORY } from "../src/builds/expected.ts";
import type { Forecast } from "../src/builds/forecast.ts";
import { beginsPhrase, pausedFacts, type Told, waitsPhrase } from "../src/builds/waiting.ts";
import { defineCommand } from "../src/chat/command.ts";
import { line, say } from "../src/chat/reply.ts";
import { slotsOf } from "../src/queue/worker-status.ts";

const SHOWN = 3;

export const queue = defineCommand({
  name: "queue",
  summary: "What runs and what waits behind it, in order, and when each should begin and end.",
  examples: ["!queue"],
  args: z.strictObject({}),
  async run({ builds, config, clock, workers }) {
    const up = await workers();
    const slots = slotsOf(up);
    const { running, queued, pauses, expected, forecast } = await builds.outlook(up);
    const told = { now: clock.now(), timezone: config.timezone };
    const held = pausedFacts(pauses, told);
    if (running.length + queued.length === 0) return say("info", ["nothing runs or waits", ...held]);
    const lines = [
      ...(held.length === 0 ? [] : [line("info", held)]),
      ...running.map((build) => {
        const shown = runningLine(build, clock.now(), expected(build)?.medianMs);
        return expected(build) === undefined ? { ...shown, facts: [...shown.facts, NO_HISTORY] } : shown;
      }),
      ...queued.map((build, index) =>
        line("queued", [
          `${index + 1}. ${build.project} #${build.number} for ${build.requester.name}`,
          `${revisionName(build)}${quotedTitle(build.revision)}`,
          ...whatItWaitsFor(forecast(build) ?? {}, slots, told),
          expectedPhrase(expected(build)),
        ]),
      ),
    ];
    const shown = held.length === 0 ? SHOWN : SHOWN + 1;
    const rest = lines.length - shown;
    return { lines: rest > 1 ? [...lines.slice(0, shown), line("info", [`${rest} more`], config.url)] : lines };
  },
});

/** What holds it first, then when it begins, where either is known. */
function whatItWaitsFor({ waitsFor, before = 0, ...place }: Partial<Forecast>, slots: number, told: Told): string[] {
  // Of those that nobody works for, what is known of the reason says more.
  const saysMore = waitsFor?.kind === "paused" || waitsFor?.kind === "worker" || waitsFor?.kind === "held";
  if (slots === 0 && !saysMore) return ["waits for a worker"];
  const begins = beginsPhrase(place);
  if (waitsFor !== undefined) return [waitsPhrase(waitsFor, told), begins];
  if (begins !== "") return [begins];
  return [before === 0 ? "waits for a free slot" : `${before} before it`];
}
