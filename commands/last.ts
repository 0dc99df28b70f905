/** `!last`: the newest results, and of one project how its times develop. */
import { z } from "zod";
import { durationMs } from "../src/builds/build.ts";
import { buildLine } from "../src/builds/describe.ts";
import { CHARTED, comparable, durationChart } from "../src/charts/durations.ts";
import { sparkline } from "../src/charts/sparkline.ts";
import { defineCommand } from "../src/chat/command.ts";
import { line, say } from "../src/chat/reply.ts";

const SHOWN = 3;
/** What is looked through for a chart, since not every build can be compared. */
const LOOKED_AT = 2 * CHARTED;

export const last = defineCommand({
  name: "last",
  summary: "The newest builds, of one project or of all.",
  examples: ["!last", "!last docker-registry"],
  args: z.strictObject({ project: z.string().optional().meta({ label: "project or all" }) }),
  async run({ args, builds, config, clock }) {
    const project =
      args.project === undefined || args.project === "all" ? undefined : builds.project(args.project).name;
    const newest = await builds.latest(project === undefined ? SHOWN + 1 : LOOKED_AT, project);
    if (newest.length === 0) return say("info", ["there are no builds yet"], config.url);
    const lines = newest.slice(0, SHOWN).map((build) => buildLine(build, config.url, clock.now()));
    if (project === undefined) {
      return { lines: newest.length > SHOWN ? [...lines, line("info", ["older ones"], config.url)] : lines };
    }
    const charted = comparable(newest);
    const chart = durationChart(project, charted);
    // With no more builds than there are lines, the lines say it all.
    if (newest.length > SHOWN) {
      const bars = sparkline(charted.map(durationMs), { from: 0 });
      const times = chart === undefined ? "" : `times of the last ${charted.length} ${bars}`;
      lines.push(line("info", ["older ones", times], `${config.url}/projects/${project}`));
    }
    return chart === undefined ? { lines } : { lines, chart };
  },
});
