/** `!whoami`: whom docker-ci takes the speaker for, and why. */
import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { say } from "../src/chat/reply.ts";

export const whoami = defineCommand({
  name: "whoami",
  summary: "Whom docker-ci takes you for, why, and what you may do.",
  examples: ["!whoami"],
  args: z.strictObject({}),
  run({ identity }) {
    const roles = [...identity.roles].join(", ");
    return say("info", [
      `${identity.name}: ${identity.because}`,
      roles === "" ? "no roles: you may ask, not act" : `roles: ${roles}`,
      roles === "" ? identity.advice : "",
    ]);
  },
});
