/** `!help`: the commands, or one of them. */

import { z } from "zod";
import { type Command, defineCommand, examplesOf, usage } from "../src/chat/command.ts";
import { quoted } from "../src/chat/quoted.ts";
import { line, say } from "../src/chat/reply.ts";
import { UserError } from "../src/errors.ts";
import { nearest } from "../src/nearest.ts";

export const help = defineCommand({
  name: "help",
  aliases: ["commands"],
  summary: "The commands, or how one of them is used.",
  examples: ["!help", "!help build"],
  args: z.strictObject({ command: z.string().optional() }),
  run({ args, commands, config }) {
    const { prefix } = config;
    if (args.command === undefined) {
      const names = (role: Command["role"]): string =>
        commands
          .filter((command) => command.role === role && !command.unlisted)
          .map(({ name }) => prefix + name)
          .join(" ");
      return {
        lines: [
          line("info", [`everyone: ${names(undefined)}`]),
          line("info", [
            `developers: ${names("developer")}`,
            `approvers: ${names("approver")}`,
            `admins: ${names("admin")}`,
          ]),
          line("info", [`${prefix}help <command> says more`], config.url),
        ],
      };
    }
    const wanted = args.command.replace(prefix, "").toLowerCase();
    const command = commands.find(({ name, aliases }) => name === wanted || aliases.includes(wanted));
    if (command === undefined) {
      const near = nearest(
        wanted,
        commands.map(({ name }) => name),
        1,
      )[0];
      throw new UserError(
        `no command ${quoted(wanted)}.${near === undefined ? "" : ` Did you mean ${prefix}${near}?`} ${prefix}help lists them.`,
      );
    }
    return say("info", [
      usage(command, prefix),
      command.summary,
      command.role === undefined ? "" : `takes the role ${command.role}`,
      command.examples.length === 0 ? "" : `for example ${examplesOf(command, prefix).join(", ")}`,
      command.aliases.length === 0 ? "" : `also ${command.aliases.map((alias) => prefix + alias).join(", ")}`,
    ]);
  },
});
