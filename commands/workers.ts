/** `!workers`: who works. */
import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { line, say } from "../src/chat/reply.ts";

export const workers = defineCommand({
  name: "workers",
  summary: "The workers that are up, their engines and what they are at.",
  examples: ["!workers"],
  args: z.strictObject({}),
  async run({ workers: list }) {
    const known = await list();
    if (known.length === 0) return say("errored", ["no worker is up: builds wait until one is"]);
    return {
      lines: known.map(({ name, engine, slots, active, version }) =>
        line(active.length > 0 ? "running" : "info", [
          `${name}: ${active.length} of ${slots} slots in use`,
          active.length === 0 ? "idle" : `building ${active.map((number) => `#${number}`).join(", ")}`,
          engine,
          `docker-ci ${version}`,
        ]),
      ),
    };
  },
});
