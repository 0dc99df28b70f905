/** `!incidents`: what is broken, since when and whose. */
import { z } from "zod";
import { couldNotRun, howAllStand } from "../src/builds/stands.ts";
import { defineCommand } from "../src/chat/command.ts";
import { line, say } from "../src/chat/reply.ts";
import { incidentLine, incidentName } from "../src/incidents/describe.ts";

const SHOWN = 4;

export const incidents = defineCommand({
  name: "incidents",
  aliases: ["broken"],
  summary: "What is broken, since when, who has it and who is suspected.",
  examples: ["!incidents"],
  args: z.strictObject({}),
  async run({ incidents: ledger, builds, config, clock }) {
    const [open, all] = await Promise.all([ledger.open(), howAllStand(config, builds)]);
    const unable = couldNotRun(all);
    if (open.length === 0) return say(unable === "" ? "passed" : "errored", ["nothing is broken", unable], config.url);
    const shown = open.length > SHOWN + 1 ? open.slice(0, SHOWN) : open;
    const lines = shown.map((incident) => {
      const name = incidentName(incident, config.projects.get(incident.project)?.branch);
      return incidentLine(incident, name, config.url, clock.now());
    });
    const rest = open.length - shown.length;
    if (rest > 0 || unable !== "") lines.push(line("info", [rest > 0 ? `${rest} more` : "", unable], config.url));
    return { lines };
  },
});
