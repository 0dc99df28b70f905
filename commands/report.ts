/** `!report`: mail the digest now. */
import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { say } from "../src/chat/reply.ts";
import { ReportWindow } from "../src/config.ts";
import { UserError } from "../src/errors.ts";

export const report = defineCommand({
  name: "report",
  summary: "Mail the daily report now, to everybody in mail.to; with the week from Monday on, or the last seven days.",
  examples: ["!report", "!report week"],
  role: "admin",
  args: z.strictObject({
    window: z.enum(ReportWindow.options, { error: "week or rolling" }).optional().meta({ label: "week or rolling" }),
  }),
  async run({ args, config, mailReport }) {
    if (config.mail === undefined || mailReport === undefined) {
      throw new UserError(
        "there is no mail here: the configuration's key mail says over which server, from and to whom.",
      );
    }
    if (config.mail.to.length === 0) throw new UserError("mail.to in the configuration names nobody.");
    const recipients = await mailReport(args.window ?? config.report?.window);
    return say("info", [`the daily report goes to ${recipients.join(", ")}`]);
  },
});
