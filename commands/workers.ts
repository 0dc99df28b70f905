/** `!workers`: who works. */
import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { line, say, type Tone } from "../src/chat/reply.ts";
import type { WorkerStatus } from "../src/queue/worker-status.ts";
import { formatAge } from "../src/units.ts";

/** One beats every five seconds; what is later than this is worth a word. */
const LATE_MS = 8_000;

export const workers = defineCommand({
  name: "workers",
  summary: "The workers that are up, what they have, their engines and what they are at.",
  examples: ["!workers"],
  args: z.strictObject({}),
  async run({ workers: list, clock }) {
    const known = await list();
    if (known.length === 0) return say("errored", ["no worker is up: builds wait until one is"]);
    return {
      lines: known.map((worker) => {
        const { name, engine, slots, active, version, labels, seenAt } = worker;
        const silentMs = clock.now().getTime() - Date.parse(seenAt);
        return line(toneOf(worker), [
          `${name}: ${active.length} of ${slots} slots in use`,
          active.length === 0 ? "idle" : `building ${active.map((number) => `#${number}`).join(", ")}`,
          standing(worker),
          labels.length === 0 ? "" : labels.join(", "),
          engine,
          `docker-ci ${version}`,
          silentMs < LATE_MS ? "" : `last heard of ${formatAge(silentMs)} ago`,
        ]);
      }),
    };
  },
});

function toneOf({ refused, active }: WorkerStatus): Tone {
  if (refused !== undefined) return "errored";
  return active.length > 0 ? "running" : "info";
}

function standing({ refused, draining }: WorkerStatus): string {
  if (refused !== undefined) return `takes nothing: ${refused}`;
  return draining ? "draining: takes no more" : "";
}
