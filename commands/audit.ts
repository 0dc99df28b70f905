/** `!audit`: who changed what. */
import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { line, say } from "../src/chat/reply.ts";
import { formatAge, formatCount } from "../src/units.ts";

const DEFAULT = 5;
const MOST = 20;

export const audit = defineCommand({
  name: "audit",
  summary: `Who did what and what was refused, the newest first (${DEFAULT}, at most ${MOST}).`,
  examples: ["!audit", "!audit 20"],
  role: "admin",
  changes: false,
  args: z.strictObject({
    count: z.coerce
      .number("a number of entries, at least 1")
      .int("a number of entries, at least 1")
      .min(1, "a number of entries, at least 1")
      .default(DEFAULT)
      .meta({ label: "n" }),
  }),
  async run({ args, audit: log, clock }) {
    const entries = await log.latest(Math.min(args.count, MOST));
    if (entries.length === 0) return say("info", ["nothing has been done yet"]);
    return {
      lines: entries.map(({ n, at, who, account, room, action, detail, outcome }) =>
        line("info", [
          `${formatCount(n)}: ${formatAge(clock.now().getTime() - new Date(at).getTime())} ago`,
          `${who}${account === null ? "" : ` (${account})`}${room === null ? "" : ` in ${room}`}`,
          `${outcome}: ${action}${detail === "" ? "" : ` ${detail}`}`,
        ]),
      ),
    };
  },
});
