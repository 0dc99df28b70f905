/** `!whoami`: whom docker-ci takes the speaker for, and why. */
import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { addressOf, groupOf, sameAccount } from "../src/chat/links.ts";
import { accountOf } from "../src/chat/people.ts";
import { say } from "../src/chat/reply.ts";

export const whoami = defineCommand({
  name: "whoami",
  summary: "Whom docker-ci takes you for, why, and what you may do.",
  examples: ["!whoami"],
  args: z.strictObject({}),
  async run({ identity, links, message: { speaker } }) {
    const roles = [...identity.roles].join(", ");
    const account = accountOf(speaker);
    const group = account === undefined ? [] : groupOf(await links.all(), account);
    const others = group.filter((linked) => account !== undefined && !sameAccount(linked, account)).map(addressOf);
    return say("info", [
      // The answer begins with their nick anyhow.
      identity.name === speaker.displayName ? identity.because : `${identity.name}: ${identity.because}`,
      others.length === 0 ? "" : `linked: ${others.join(", ")}`,
      roles === "" ? "no roles: you may ask, not act" : `roles: ${roles}`,
      roles === "" ? identity.advice : "",
    ]);
  },
});
