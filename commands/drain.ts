/** `!drain`: a worker takes no more builds; those it is at go on. */

import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { quoted } from "../src/chat/quoted.ts";
import { say } from "../src/chat/reply.ts";
import { UserError } from "../src/errors.ts";
import { didYouMean, nearest } from "../src/nearest.ts";

export const drain = defineCommand({
  name: "drain",
  summary: "Give a worker no more builds, until somebody undrains it; those it is at go on.",
  examples: ["!drain big-1"],
  role: "developer",
  repeatable: true,
  args: z.strictObject({ worker: z.string() }),
  async run({ args, builds, workers, config, identity }) {
    const { worker } = args;
    const up = await workers();
    const one = up.find(({ name }) => name === worker);
    if (one === undefined) {
      const names = [...new Set(up.map(({ name }) => name))];
      const known =
        names.length === 0 ? "No worker is up." : `There ${names.length === 1 ? "is" : "are"} ${names.join(", ")}.`;
      throw new UserError(
        [`no worker ${quoted(worker)} is up.`, didYouMean(nearest(worker, names, 1)), known].filter(Boolean).join(" "),
      );
    }
    const before = await builds.drains.drain(worker, identity.name);
    const active = up.filter(({ name }) => name === worker).flatMap((each) => each.active);
    return say("info", [
      before === undefined
        ? `${worker} takes no more builds`
        : `${worker} takes no more builds already, says ${before.by}`,
      active.length === 0 ? "it is idle" : `it goes on with ${active.map((number) => `#${number}`).join(", ")}`,
      `${config.prefix}undrain ${worker} lets it take some again`,
    ]);
  },
});
