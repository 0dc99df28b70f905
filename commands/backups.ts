/** `!backups`: what is backed up, where, and whether it restores. */
import { z } from "zod";
import { copiesPhrase, provenPhrase } from "../src/backup/describe.ts";
import { progressLine } from "../src/backup/progress.ts";
import { defineCommand } from "../src/chat/command.ts";
import { line } from "../src/chat/reply.ts";
import { UserError } from "../src/errors.ts";
import { formatAge, formatBytes, formatCount } from "../src/units.ts";

const SHOWN = 5;

export const backups = defineCommand({
  name: "backups",
  summary: `The newest ${SHOWN} backups: age, size, where they lie, and when each was proven to restore.`,
  examples: ["!backups"],
  role: "admin",
  changes: false,
  args: z.strictObject({}),
  async run({ backups: port, clock, config }) {
    if (port === undefined) throw new UserError("backups are made where the bot runs, and it does not run here.");
    const { backups: all, progress, trouble } = await port.state();
    const now = clock.now();
    const lines = all.slice(0, SHOWN).map((each) => {
      const { name, madeAt, bytes, fault, isThere } = each;
      return line(fault === undefined && isThere ? "info" : "errored", [
        name,
        `${formatAge(now.getTime() - Date.parse(madeAt))} old`,
        formatBytes(bytes),
        provenPhrase(each, now),
        copiesPhrase(each),
      ]);
    });
    const head = [
      ...(progress === undefined ? [] : [progressLine(progress)]),
      ...(trouble === undefined ? [] : [line("errored", [trouble.reason])]),
    ];
    if (lines.length === 0) {
      const how = `${config.prefix}backup makes the first`;
      return { lines: [...head, line("info", ["there are no backups yet", how])] };
    }
    const more =
      all.length > SHOWN ? [line("info", [`${formatCount(all.length)} in all`], `${config.url}/backups`)] : [];
    return { lines: [...head, ...lines, ...more] };
  },
});
