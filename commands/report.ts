/** `!report`: mail the digest now. */
import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { say } from "../src/chat/reply.ts";
import { UserError } from "../src/errors.ts";

export const report = defineCommand({
  name: "report",
  summary: "Mail the daily report now, to everybody in mail.to.",
  examples: ["!report"],
  role: "admin",
  args: z.strictObject({}),
  async run({ config, mailReport }) {
    if (config.mail === undefined || mailReport === undefined) {
      throw new UserError(
        "there is no mail here: the configuration's key mail says over which server, from and to whom.",
      );
    }
    if (config.mail.to.length === 0) throw new UserError("mail.to in the configuration names nobody.");
    const recipients = await mailReport();
    return say("info", [`the daily report goes to ${recipients.join(", ")}`]);
  },
});
