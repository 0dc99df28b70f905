/** `!undrain`: a worker takes builds again. */

import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { quoted } from "../src/chat/quoted.ts";
import { say } from "../src/chat/reply.ts";
import { UserError } from "../src/errors.ts";

export const undrain = defineCommand({
  name: "undrain",
  summary: "Let a worker take builds again.",
  examples: ["!undrain big-1"],
  role: "developer",
  repeatable: true,
  args: z.strictObject({ worker: z.string() }),
  async run({ args, builds, workers }) {
    const { worker } = args;
    const isUp = (await workers()).some(({ name }) => name === worker);
    if (await builds.drains.undrain(worker)) {
      return say("info", [`${worker} takes builds again`, isUp ? "" : "it is not up at the moment"]);
    }
    if (isUp) return say("info", [`${worker} takes builds already`]);
    const draining = [...(await builds.drains.all()).keys()];
    throw new UserError(
      `no worker ${quoted(worker)} drains. ${draining.length === 0 ? "None does." : `${draining.join(", ")} ${draining.length === 1 ? "does" : "do"}.`}`,
    );
  },
});
