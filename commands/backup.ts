/** `!backup`: make one now. */
import { z } from "zod";
import { requesterOf } from "../src/builds/accepted.ts";
import { defineCommand } from "../src/chat/command.ts";
import { line } from "../src/chat/reply.ts";
import { UserError } from "../src/errors.ts";
import { formatAge, formatBytes } from "../src/units.ts";

export const backup = defineCommand({
  name: "backup",
  summary: "Back up now: records, logs, results and configuration; says so when it is done and proven.",
  examples: ["!backup"],
  role: "admin",
  args: z.strictObject({}),
  async run({ backups, clock, config, identity, message }) {
    if (backups === undefined) throw new UserError("backups are made where the bot runs, and it does not run here.");
    const [newest] = (await backups.state()).backups;
    await backups.ask(requesterOf(identity, message));
    const age = newest === undefined ? 0 : clock.now().getTime() - Date.parse(newest.madeAt);
    const before =
      newest === undefined
        ? "it is the first"
        : `the last is ${formatAge(age)} old and has ${formatBytes(newest.bytes)}`;
    return { lines: [line("running", ["backup begun", before], `${config.url}/backups`)], key: "backup" };
  },
});
